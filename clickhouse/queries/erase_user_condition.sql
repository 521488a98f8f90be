-- Rows of the person in a table by user.
hex(sipHash128(user)) = {hash:String} AND ({every:Bool} OR tenant = {tenant:String})
