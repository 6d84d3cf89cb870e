"""Commands that declare: apply, site, exchange."""
