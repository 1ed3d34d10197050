//! A connection as statements are sent over it: prepared under a name, which the driver knows them by the next time, or without one.
//!
//! Always true: behind a pooler that gives each transaction another session, no statement has a name, which the session would keep
//! for whoever gets it next.

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArguments, PgConnection, PgQueryResult, PgRow, PgStatement, PgTypeInfo, Postgres};
use sqlx::{Either, Execute, Executor, SqlStr};

use super::errors::SqlResult;

#[derive(Debug)]
pub(super) struct Session<'c> {
    connection: &'c mut PgConnection,
    named: bool,
}

impl<'c> Session<'c> {
    pub(super) fn new(connection: &'c mut PgConnection, named: bool) -> Self {
        Session { connection, named }
    }
}

impl<'c> Executor<'c> for &'c mut Session<'_> {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, SqlResult<Either<PgQueryResult, PgRow>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        self.connection.fetch_many(Sent { query, named: self.named })
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, SqlResult<Option<PgRow>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        self.connection.fetch_optional(Sent { query, named: self.named })
    }

    fn prepare_with<'e>(self, sql: SqlStr, parameters: &'e [PgTypeInfo]) -> BoxFuture<'e, SqlResult<PgStatement>>
    where
        'c: 'e,
    {
        self.connection.prepare_with(sql, parameters)
    }
}

/// A statement on its way.
struct Sent<Q> {
    query: Q,
    named: bool,
}

impl<'q, Q: Execute<'q, Postgres>> Execute<'q, Postgres> for Sent<Q> {
    fn sql(self) -> SqlStr {
        self.query.sql()
    }
    fn statement(&self) -> Option<&PgStatement> {
        self.query.statement()
    }
    fn take_arguments(&mut self) -> Result<Option<PgArguments>, BoxDynError> {
        self.query.take_arguments()
    }
    fn persistent(&self) -> bool {
        self.named && self.query.persistent()
    }
}
