//! The macro behind the catalogue: one line a text, Dutch and English.

macro_rules! words {
    ($(#[$doc:meta])* $group:ident { $($key:ident: $nl:literal, $en:literal;)* }) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(crate) struct $group { $(pub(crate) $key: &'static str,)* }

        impl $group {
            pub(crate) const NL: $group = $group { $($key: $nl,)* };
            pub(crate) const EN: $group = $group { $($key: $en,)* };
            /// Key, Dutch, English.
            #[cfg(test)]
            pub(crate) const ALL: &'static [(&'static str, &'static str, &'static str)] =
                &[$((stringify!($key), $nl, $en),)*];
        }
    };
}
