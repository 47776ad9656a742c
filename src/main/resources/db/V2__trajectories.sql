CREATE TABLE trajectory (
  run TEXT NOT NULL,
  task TEXT NOT NULL,
  member INTEGER NOT NULL,
  step INTEGER NOT NULL,
  body BLOB NOT NULL, -- the whole of it as JSON, token ids included, deflated
  PRIMARY KEY (run, task, member)
);
CREATE INDEX trajectory_step ON trajectory (run, step);

CREATE TABLE verdict (
  run TEXT NOT NULL,
  task TEXT NOT NULL,
  rubric TEXT NOT NULL,
  scores TEXT NOT NULL, -- a JSON list of member, score and explanation
  calls INTEGER NOT NULL,
  PRIMARY KEY (run, task, rubric)
);

CREATE TABLE run_step (
  run TEXT NOT NULL,
  step INTEGER NOT NULL,
  metrics TEXT NOT NULL, -- JSON
  PRIMARY KEY (run, step)
);
