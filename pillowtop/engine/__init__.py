"""The thinking of the engine, without I/O: batches, versions, the ledger, back-off."""
