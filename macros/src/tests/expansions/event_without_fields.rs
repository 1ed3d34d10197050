#[::gesta::__private::core::prelude::v1::derive(
    ::gesta::__private::core::clone::Clone,
    ::gesta::__private::core::fmt::Debug,
    ::gesta::__private::core::cmp::PartialEq
)]
pub struct Closed;
#[automatically_derived]
impl ::gesta::__private::serde::Serialize for Closed {
    fn serialize<__S: ::gesta::__private::serde::Serializer>(
        &self,
        __serializer: __S,
    ) -> ::gesta::__private::core::result::Result<__S::Ok, __S::Error> {
        ::gesta::__private::write_unit(__serializer)
    }
}
#[automatically_derived]
impl<'de> ::gesta::__private::serde::Deserialize<'de> for Closed {
    fn deserialize<__D: ::gesta::__private::serde::Deserializer<'de>>(
        __deserializer: __D,
    ) -> ::gesta::__private::core::result::Result<Self, __D::Error> {
        ::gesta::__private::core::result::Result::map(
            ::gesta::__private::read_unit(__deserializer),
            |()| Closed,
        )
    }
}
#[automatically_derived]
impl ::gesta::__private::Schema for Closed {
    const NODE: ::gesta::__private::Node = ::gesta::__private::Node::Record(&[]);
}
#[automatically_derived]
impl ::gesta::__private::Event for Closed {
    const NAME: &'static ::gesta::__private::core::primitive::str = "Closed";
    const VERSION: ::gesta::__private::core::primitive::u32 = 1;
    const DOC: &'static ::gesta::__private::core::primitive::str = "";
    const VERSIONS: &'static [::gesta::__private::EventVersion] = {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        &[
            ::gesta::__private::EventVersion {
                version: 1,
                node: <Closed as ::gesta::__private::Schema>::NODE,
                changes: &[],
                logic: 0,
                advance: ::gesta::__private::Probe::<Closed>::rewrite,
            },
        ]
    };
    fn decode(
        __version: ::gesta::__private::core::primitive::u32,
        __payload: &[::gesta::__private::core::primitive::u8],
    ) -> ::gesta::__private::core::result::Result<
        Self,
        ::gesta::__private::DecodeError,
    > {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        match __version {
            1 => ::gesta::__private::Probe::<Self>::decode(__payload),
            _ => ::gesta::__private::unknown_version("Closed", __version, 1),
        }
    }
    fn encode(
        &self,
        __payload: &mut ::gesta::__private::std::vec::Vec<
            ::gesta::__private::core::primitive::u8,
        >,
    ) -> ::gesta::__private::core::result::Result<(), ::gesta::__private::EncodeError> {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        ::gesta::__private::Probe::<Self>::encode(self, __payload)
    }
}
#[automatically_derived]
impl ::gesta::__private::Answer for Closed {
    type Events = Self;
    type Error = ::gesta::__private::core::convert::Infallible;
    type Kind = ::gesta::__private::NeverRefuses;
    fn split(
        self,
    ) -> ::gesta::__private::core::result::Result<
        Self,
        ::gesta::__private::core::convert::Infallible,
    > {
        ::gesta::__private::core::result::Result::Ok(self)
    }
}
