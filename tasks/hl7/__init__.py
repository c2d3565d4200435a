"""HL7 v2 messages and the platform that holds them: parse, load, generate, schema, contract."""
