-- Alerts about others of which the person was a part of the evidence: the other parts stay.
ALTER TABLE ${DATABASE}.alerts
UPDATE contributors = arrayFilter(part -> hex(sipHash128(part.name)) != {hash:String}, contributors)
WHERE arrayExists(part -> hex(sipHash128(part.name)) = {hash:String}, contributors)
    AND ({every:Bool} OR `group`['tenant'] IN ('', {tenant:String}))
SETTINGS mutations_sync = 2;
