-- Alerts about the person.
hex(sipHash128(`group`['user'])) = {hash:String} AND ({every:Bool} OR `group`['tenant'] IN ('', {tenant:String}))
