//! How the types that check themselves look in the API's document. Never part of a build that ships.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::models::{ErrorCode, Price, UserId};

impl JsonSchema for UserId {
    fn schema_name() -> Cow<'static, str> {
        "UserId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // `format` alone is a hint to most readers, and takes forms that are none here.
        let pattern = "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$";
        json_schema!({ "type": "string", "format": "uuid", "pattern": pattern,
            "description": "Who asks: a UUID with its dashes. It is written to the audit table and nowhere else." })
    }
}

impl JsonSchema for Price {
    fn schema_name() -> Cow<'static, str> {
        "Price".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number", "minimum": 0,
            "description": "An exact decimal with the digits of the store, up to 28 of them: read it as a decimal, not as a float." })
    }
}

impl JsonSchema for ErrorCode {
    fn schema_name() -> Cow<'static, str> {
        "ErrorCode".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let all = Self::ALL.map(Self::as_str);
        json_schema!({ "type": "string", "enum": all, "description": "Branch on this one: it never changes." })
    }
}
