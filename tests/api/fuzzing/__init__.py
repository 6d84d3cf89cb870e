"""How schemathesis is to treat what no JSON schema can say."""
