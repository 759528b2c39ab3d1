-- What must be true of a campaign whatever happened to its processes; every query counts what is wrong and is named by its comment.
-- The tables hold what the database and the provider each say: nothing here knows how Candour works.

-- people who are owed nothing although they are on file
SELECT count(*) FROM persons p WHERE NOT EXISTS (SELECT 1 FROM obligations o WHERE o.person_id = p.id);

-- a population that is not the sum of its states
SELECT abs((SELECT sum(population) FROM campaigns) - (SELECT count(*) FROM obligations WHERE status IN
    ('planned', 'open', 'manual', 'delivered', 'posted', 'closed', 'substitute', 'cancelled')));

-- people without a notice who are not left to the team
SELECT count(*) FROM obligations o WHERE o.status <> 'manual' AND NOT EXISTS (SELECT 1 FROM notices n WHERE n.obligation_id = o.id);

-- notices that still wait or hang
SELECT count(*) FROM notices WHERE status IN ('planned', 'submitting');

-- people with two notices on one channel
SELECT count(*) FROM (SELECT person_id, channel FROM notices GROUP BY person_id, channel HAVING count(*) > 1) AS doubled;

-- messages that the provider took and nobody here knows
SELECT count(*) FROM taken t WHERE NOT EXISTS (SELECT 1 FROM notices n WHERE n.reference = t.reference);

-- people whom the provider was given twice without a visible doubt
SELECT count(*) FROM (SELECT n.id FROM taken t JOIN notices n ON n.reference = t.reference GROUP BY n.id HAVING count(*) > 1) AS twice
    WHERE NOT EXISTS (SELECT 1 FROM attempts a WHERE a.notice_id = twice.id AND a.outcome = 'unknown');

-- notices said to be taken that the provider never saw
SELECT count(*) FROM notices n WHERE n.status IN ('accepted', 'delivered', 'failed')
    AND NOT EXISTS (SELECT 1 FROM taken t WHERE t.reference = n.reference);

-- messages the provider took that stand here as not sent
SELECT count(*) FROM notices n JOIN taken t ON t.reference = n.reference WHERE n.status IN ('rejected', 'withheld', 'cancelled');

-- addresses that were written to for somebody else
SELECT count(*) FROM taken t JOIN notices n ON n.reference = t.reference WHERE t.channel <> n.channel;

-- people told without evidence
SELECT count(*) FROM obligations o WHERE o.status = 'delivered'
    AND NOT EXISTS (SELECT 1 FROM notices n JOIN events e ON e.notice_id = n.id WHERE n.obligation_id = o.id AND e.outcome = 'delivered');
