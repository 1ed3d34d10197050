/* Writes down what a program tells the disk about the files of a SQLite store, so that `disk.rs` can work out afterwards
 * what a loss of power would have left of them. Loaded with LD_PRELOAD; what is written down stands in `disk.rs` too.
 *
 * Always true here: a change is in the journal before it is made, and no other call on a watched file comes between the
 * two, so the journal's order is the order of the changes. A flush is written down twice, before and after, since changes
 * that come in while it runs may miss it. The journal is written by write(2), so it outlives a SIGKILL at any moment, and
 * so does what it says: a record that is not there belongs to a call that was not made, or has not come back.
 *
 * It can also let calls fail, as a disk does that breaks or is full: `GESTA_CUT_FAILS` says from which record on and how
 * many. Such a call has done nothing.
 *
 * The real calls are made by syscall(2) directly: nothing has to be looked up, so nothing depends on who was loaded first.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

_Static_assert(sizeof(long) == 8 && sizeof(off_t) == 8, "file offsets are passed to the kernel in one register");

enum what { OPENED = 1, WRITTEN, TRUNCATED, FLUSHING, FLUSHED, UNLINKED, FAILED, SAID };

/* All in the machine's own byte order; `bytes` bytes of data follow: a name, or what was written. */
struct record {
    uint64_t what;
    uint64_t handle; /* which open(2), counted from 1 on: a descriptor's number is used again, this is not */
    uint64_t at;     /* WRITTEN: offset. TRUNCATED: size. OPENED: 1 if it was created. FLUSHED, FAILED: the record where it began */
    uint64_t bytes;
};

#define DESCRIPTORS_MAX 4096
#define STDOUT_HANDLE UINT64_MAX

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char folder[PATH_MAX];
static size_t folder_length;
static int journal = -1;
static uint64_t records;
static uint64_t handles;
/* From this record on, so many calls fail, with this errno. */
static uint64_t fails_from = UINT64_MAX, fails_left;
static int fails_with = EIO;
/* The handle behind each descriptor; 0: not watched. */
static uint64_t watched[DESCRIPTORS_MAX];

/* A disk that is only half written down proves nothing. */
static void give_up(const char *why) {
    const char *error = strerror(errno);
    fprintf(stderr, "power_cut: %s (%s)\n", why, error);
    abort();
}

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("GESTA_CUT_FOLDER"), *to = getenv("GESTA_CUT_JOURNAL");
    if (!path || !to) return;
    folder_length = strlen(path);
    if (folder_length >= sizeof folder) give_up("the folder's path is too long");
    memcpy(folder, path, folder_length + 1);
    journal = (int)syscall(SYS_openat, AT_FDCWD, to, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    if (journal < 0) give_up("the journal can't be opened");
    watched[STDOUT_FILENO] = STDOUT_HANDLE;
    const char *fails = getenv("GESTA_CUT_FAILS");
    int full = 0;
    if (fails && sscanf(fails, "%lu %lu %d", &fails_from, &fails_left, &full) != 3) give_up("write: FROM COUNT FULL");
    if (full) fails_with = ENOSPC;
}

/* Whether a call is to fail; called with the lock held. */
static int fails(void) {
    if (records < fails_from || fails_left == 0) return 0;
    fails_left--;
    return 1;
}

/* Called with the lock held; answers the record's number. */
static uint64_t note(enum what what, uint64_t handle, uint64_t at, const void *data, size_t bytes) {
    struct record record = {what, handle, at, bytes};
    struct iovec parts[2] = {{&record, sizeof record}, {(void *)data, bytes}};
    if (syscall(SYS_writev, journal, parts, 2) != (long)(sizeof record + bytes)) give_up("the journal can't be written");
    return records++;
}

/* The part of a path behind the folder, if it is a file that is watched; "" for the folder itself; else NULL. */
static const char *name_of(const char *path) {
    if (journal < 0 || !path || strncmp(path, folder, folder_length) != 0) return NULL;
    const char *name = path + folder_length;
    if (*name == 0) return name;
    if (*name++ != '/' || strchr(name, '/')) return NULL;
    static const char *const endings[] = {".db", ".db-wal", ".db-journal"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t length = strlen(name), end = strlen(endings[i]);
        if (length >= end && strcmp(name + length - end, endings[i]) == 0) return name;
    }
    return NULL;
}

static uint64_t handle_of(int fd) {
    return journal >= 0 && fd >= 0 && fd < DESCRIPTORS_MAX ? __atomic_load_n(&watched[fd], __ATOMIC_ACQUIRE) : 0;
}

static int opened(int at, const char *path, int flags, mode_t mode) {
    const char *name = name_of(path);
    if (!name) return (int)syscall(SYS_openat, at, path, flags, mode);
    pthread_mutex_lock(&lock);
    struct stat before;
    int created = (flags & O_CREAT) && stat(path, &before) != 0;
    /* Opened before it is written down, since only now it is known to succeed; it is empty, so nothing is lost. */
    int fd = (int)syscall(SYS_openat, at, path, flags, mode);
    int error = errno;
    if (fd >= DESCRIPTORS_MAX) give_up("too many open files");
    if (fd >= 0) {
        note(OPENED, ++handles, (uint64_t)created, name, strlen(name));
        if (flags & O_TRUNC) note(TRUNCATED, handles, 0, NULL, 0);
        __atomic_store_n(&watched[fd], handles, __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&lock);
    errno = error;
    return fd;
}

#define MODE_OF(flags)                                                                                                            \
    mode_t mode = 0;                                                                                                              \
    if (((flags) & O_CREAT) || ((flags) & O_TMPFILE) == O_TMPFILE) {                                                                                       \
        va_list rest;                                                                                                             \
        va_start(rest, flags);                                                                                                    \
        mode = va_arg(rest, mode_t);                                                                                              \
        va_end(rest);                                                                                                             \
    }

int open(const char *path, int flags, ...) {
    MODE_OF(flags)
    return opened(AT_FDCWD, path, flags, mode);
}
int open64(const char *path, int flags, ...) {
    MODE_OF(flags)
    return opened(AT_FDCWD, path, flags, mode);
}
int openat(int at, const char *path, int flags, ...) {
    MODE_OF(flags)
    return opened(at, path, flags, mode);
}
int openat64(int at, const char *path, int flags, ...) {
    MODE_OF(flags)
    return opened(at, path, flags, mode);
}

int close(int fd) {
    if (handle_of(fd)) __atomic_store_n(&watched[fd], 0, __ATOMIC_RELEASE);
    return (int)syscall(SYS_close, fd);
}

static ssize_t written(int fd, uint64_t handle, const void *data, size_t bytes, off_t at) {
    pthread_mutex_lock(&lock);
    if (fails()) {
        pthread_mutex_unlock(&lock);
        errno = fails_with;
        return -1;
    }
    note(WRITTEN, handle, (uint64_t)at, data, bytes);
    ssize_t done = syscall(SYS_pwrite64, fd, data, bytes, at);
    if (done != (ssize_t)bytes) give_up("a write came back short");
    pthread_mutex_unlock(&lock);
    return done;
}

ssize_t pwrite(int fd, const void *data, size_t bytes, off_t at) {
    uint64_t handle = handle_of(fd);
    return handle ? written(fd, handle, data, bytes, at) : syscall(SYS_pwrite64, fd, data, bytes, at);
}
ssize_t pwrite64(int fd, const void *data, size_t bytes, off64_t at) {
    return pwrite(fd, data, bytes, at);
}
ssize_t write(int fd, const void *data, size_t bytes) {
    uint64_t handle = handle_of(fd);
    if (!handle) return syscall(SYS_write, fd, data, bytes);
    if (handle == STDOUT_HANDLE) {
        /* What the program says stands between its changes, so a cut knows what had been said before it. */
        pthread_mutex_lock(&lock);
        note(SAID, 0, 0, data, bytes);
        pthread_mutex_unlock(&lock);
        return syscall(SYS_write, fd, data, bytes);
    }
    off_t at = lseek(fd, 0, SEEK_CUR);
    if (at < 0) give_up("a watched file has no offset");
    ssize_t done = written(fd, handle, data, bytes, at);
    if (done > 0) lseek(fd, at + done, SEEK_SET);
    return done;
}

int ftruncate(int fd, off_t size) {
    uint64_t handle = handle_of(fd);
    if (!handle) return (int)syscall(SYS_ftruncate, fd, size);
    pthread_mutex_lock(&lock);
    if (fails()) {
        pthread_mutex_unlock(&lock);
        errno = fails_with;
        return -1;
    }
    note(TRUNCATED, handle, (uint64_t)size, NULL, 0);
    if (syscall(SYS_ftruncate, fd, size) != 0) give_up("a file can't be truncated");
    pthread_mutex_unlock(&lock);
    return 0;
}
int ftruncate64(int fd, off64_t size) {
    return ftruncate(fd, size);
}

static int flushed(int fd, long call) {
    uint64_t handle = handle_of(fd);
    if (!handle) return (int)syscall(call, fd);
    pthread_mutex_lock(&lock);
    uint64_t began = note(FLUSHING, handle, 0, NULL, 0);
    if (fails()) {
        note(FAILED, handle, began, NULL, 0);
        pthread_mutex_unlock(&lock);
        errno = fails_with;
        return -1;
    }
    pthread_mutex_unlock(&lock);
    int result = (int)syscall(call, fd), error = errno;
    pthread_mutex_lock(&lock);
    if (result == 0) note(FLUSHED, handle, began, NULL, 0);
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}

int fsync(int fd) {
    return flushed(fd, SYS_fsync);
}
int fdatasync(int fd) {
    return flushed(fd, SYS_fdatasync);
}

int unlink(const char *path) {
    const char *name = name_of(path);
    if (!name || !*name) return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    pthread_mutex_lock(&lock);
    struct stat before;
    if (stat(path, &before) == 0) note(UNLINKED, 0, 0, name, strlen(name));
    int result = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0), error = errno;
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}

/* SQLite renames nothing, and neither does the store; should that change, this harness must learn it. */
int rename(const char *from, const char *to) {
    if (name_of(from) || name_of(to)) give_up("a watched file is renamed, which is not written down yet");
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}
