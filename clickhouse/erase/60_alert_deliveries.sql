-- How channels were told of alerts about the person: it comes before alerts.
alert_id IN (
    SELECT alert_id FROM ${DATABASE}.alerts
    WHERE hex(sipHash128(`group`['user'])) = {hash:String}
        AND ({every:Bool} OR `group`['tenant'] IN ('', {tenant:String}))
)
