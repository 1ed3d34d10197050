use gesta::prelude::*;

#[event]
pub struct Opened {}

pub struct Generic<T>(T);
#[aggregate(id = u64)]
impl<T> Generic<T> {
    fn opened(_: Opened) -> Self {
        todo!()
    }
}

pub struct Concrete<T>(T);
#[aggregate(id = u64)]
impl Concrete<u8> {
    fn opened(_: Opened) -> Self {
        todo!()
    }
}

pub struct Optional;
#[aggregate(id = u64)]
impl Optional {
    #[cfg(unix)]
    fn opened(_: Opened) -> Self {
        Optional
    }
}

pub struct Empty;
#[aggregate(id = u64)]
impl Empty {}

pub struct NotABlock;
#[aggregate(id = u64)]
pub struct Struct;

#[aggregate(id = u64)]
impl Clone for NotABlock {
    fn clone(&self) -> Self {
        NotABlock
    }
}

fn main() {}
