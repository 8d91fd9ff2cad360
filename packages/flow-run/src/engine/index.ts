// Executes what is frozen: walks a compiled flow, skips what the journal has, runs what is missing, and reports events.
// Reads no file, knows no terminal, no SQL and no HTTP: it speaks to a journal port and a model port.
export {};
