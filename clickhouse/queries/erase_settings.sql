-- What ends a statement that removes rows: it answers when all replicas are done, and may ask other tables.
SETTINGS mutations_sync = 2, allow_nondeterministic_mutations = 1
