CREATE TABLE captured (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  time INTEGER NOT NULL, -- milliseconds since 1970
  api TEXT NOT NULL,
  model TEXT NOT NULL,
  served_by TEXT NOT NULL,
  served_model TEXT NOT NULL,
  fell_back INTEGER NOT NULL,
  streamed INTEGER NOT NULL,
  request BLOB NOT NULL,
  response BLOB NOT NULL,
  raw_stream BLOB, -- a stream's bytes as they came, deflated
  status INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  tags TEXT NOT NULL, -- a JSON object
  prompt_version TEXT NOT NULL,
  conversation_id TEXT NOT NULL,
  prompt_tokens INTEGER,
  completion_tokens INTEGER,
  cached_tokens INTEGER,
  estimated INTEGER,
  first_byte_ms INTEGER NOT NULL,
  latency_ms INTEGER NOT NULL,
  cost REAL
);
CREATE INDEX captured_time ON captured (time);
CREATE INDEX captured_model ON captured (model);

CREATE TABLE feedback (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  request_id TEXT NOT NULL REFERENCES captured (id) ON DELETE CASCADE,
  time INTEGER NOT NULL,
  score REAL,
  label TEXT,
  comment TEXT
);
CREATE INDEX feedback_request ON feedback (request_id);

CREATE TABLE route (
  model TEXT PRIMARY KEY,
  target TEXT NOT NULL, -- JSON
  fallback TEXT
);

CREATE TABLE api_key (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  hash TEXT NOT NULL UNIQUE,
  created INTEGER NOT NULL
);

CREATE TABLE price (
  model TEXT PRIMARY KEY,
  input REAL NOT NULL, -- per million tokens
  output REAL NOT NULL,
  cached_input REAL NOT NULL
);

CREATE TABLE adapter (
  name TEXT PRIMARY KEY,
  path TEXT NOT NULL,
  base TEXT NOT NULL,
  created INTEGER NOT NULL,
  pruning_rule TEXT,
  metrics TEXT
);

CREATE TABLE run (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  status TEXT NOT NULL,
  started INTEGER NOT NULL,
  finished INTEGER,
  config TEXT NOT NULL,
  metrics TEXT
);
