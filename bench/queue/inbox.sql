-- An inbox for deliveries: each is taken in once whatever process got it, and those of one conversation are given out in
-- their order, to one execution at a time. n8n has neither, and in queue mode there is always a PostgreSQL.
CREATE SCHEMA dynamics365;

CREATE TABLE dynamics365.inbox (
	conversation text,
	activity text,
	message text NOT NULL,
	state text NOT NULL DEFAULT 'waiting',
	execution bigint,
	round int,
	repeats int NOT NULL DEFAULT 0,
	since timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (conversation, activity)
);
CREATE INDEX ON dynamics365.inbox (execution);
CREATE INDEX ON dynamics365.inbox (conversation) WHERE state = 'waiting';

-- Whose turn it is in a conversation: an execution, or nobody.
CREATE TABLE dynamics365.turn (
	conversation text PRIMARY KEY,
	execution bigint,
	since timestamptz
);
CREATE INDEX ON dynamics365.turn (execution);

-- What is waiting in the conversations whose turn the execution has; where nothing is, its turn ends. What it was given
-- for this round already comes again, since n8n's Retry On Fail may ask a second time.
CREATE FUNCTION dynamics365.give(an_execution bigint, a_round int)
RETURNS TABLE (conversation text, activity text, message text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY WITH given AS (
		UPDATE dynamics365.inbox i SET state = 'sending', execution = an_execution, round = a_round
		FROM dynamics365.turn t
		WHERE t.conversation = i.conversation AND t.execution = an_execution
			AND (i.state = 'waiting' OR (i.state = 'sending' AND i.execution = an_execution AND i.round = a_round))
		RETURNING i.conversation, i.activity, i.message
	)
	SELECT * FROM given ORDER BY conversation, activity;
	IF NOT FOUND THEN
		UPDATE dynamics365.turn SET execution = NULL WHERE execution = an_execution;
	END IF;
END $$;

-- A delivery has come: puts it down. It is taken some time later, so that one that came before it, and that a slower
-- worker got, is there by then, too.
CREATE FUNCTION dynamics365.put(a_conversation text, an_activity text, a_message text)
RETURNS void LANGUAGE sql AS $$
	INSERT INTO dynamics365.inbox (conversation, activity, message) VALUES (a_conversation, an_activity, a_message)
	ON CONFLICT (conversation, activity) DO UPDATE SET repeats = inbox.repeats + 1;
	INSERT INTO dynamics365.turn VALUES (a_conversation) ON CONFLICT DO NOTHING;
$$;

-- Gives out what waits in the conversation, unless somebody else has its turn. That one will get it with dynamics365.done.
CREATE FUNCTION dynamics365.take(a_conversation text, an_execution bigint)
RETURNS TABLE (conversation text, activity text, message text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
	PERFORM 1 FROM dynamics365.turn WHERE conversation = a_conversation FOR UPDATE;
	UPDATE dynamics365.turn SET execution = an_execution, since = now()
	WHERE conversation = a_conversation AND (execution IS NULL OR since < now() - interval '90 seconds');
	RETURN QUERY SELECT * FROM dynamics365.give(an_execution, 0);
END $$;

-- The messages of a round were sent: gives out what has come meanwhile.
CREATE FUNCTION dynamics365.done(an_execution bigint, a_round int)
RETURNS TABLE (conversation text, activity text, message text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
	UPDATE dynamics365.inbox SET state = 'sent'
	WHERE execution = an_execution AND round = a_round AND state = 'sending';
	PERFORM 1 FROM dynamics365.turn WHERE execution = an_execution ORDER BY conversation FOR UPDATE;
	UPDATE dynamics365.turn SET since = now() WHERE execution = an_execution;
	RETURN QUERY SELECT * FROM dynamics365.give(an_execution, a_round + 1);
END $$;

-- For a schedule: takes over the turns of executions that died, also of those that died before they took theirs, and
-- gives out what waits. What they were sending may have arrived, so it stays as it is (state 'sending'), for a person to look at.
CREATE FUNCTION dynamics365.take_over(an_execution bigint)
RETURNS TABLE (conversation text, activity text, message text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
	UPDATE dynamics365.turn t SET execution = an_execution, since = now()
	WHERE (t.execution IS NOT NULL AND t.since < now() - interval '90 seconds')
		OR (t.execution IS NULL AND EXISTS (
			SELECT FROM dynamics365.inbox i WHERE i.conversation = t.conversation AND i.state = 'waiting'
				AND i.since < now() - interval '90 seconds'
		));
	RETURN QUERY SELECT * FROM dynamics365.give(an_execution, 0);
END $$;
