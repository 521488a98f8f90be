import { Command } from 'commander'
import { type Env, parseCommonConfig } from '#runtime/config.ts'
import { KAFKA_ROLES, type KafkaAcl, kafkaAcls } from './kafka-acls.ts'

interface Flags {
  readonly principal: string
  readonly json?: boolean
}

const ROLE = '{role}'

/** `spanmeter access kafka`: what each worker may do in Kafka, as commands for its own tool. */
export function createKafkaAccessCommand(env: Env): Command {
  const command = new Command('kafka')
    .description('print the commands that give each worker its rights in Kafka, and no more')
    .option(
      '--principal <pattern>',
      `how users are called; ${ROLE} stands for ${KAFKA_ROLES.join(', ')}`,
      `User:${ROLE}`,
    )
    .option('--json', 'print one JSON array')
    .action((flags: Flags) => {
      if (!flags.principal.includes(ROLE)) {
        command.error(`error: --principal needs ${ROLE}, or all roles would be one user`)
      }
      const { brokers, topicPrefix } = parseCommonConfig(env).kafka
      const acls = kafkaAcls(topicPrefix)
      const principal = (acl: KafkaAcl) => flags.principal.replaceAll(ROLE, acl.role)
      if (flags.json === true) {
        const rows = acls.map((acl) => ({ principal: principal(acl), ...acl }))
        process.stdout.write(`${JSON.stringify(rows)}\n`)
        return
      }
      const lines = acls.map((acl) => aclCommand(acl, principal(acl), brokers.join(',')))
      process.stdout.write(`${lines.join('\n')}\n`)
    })
  return command
}

function aclCommand(acl: KafkaAcl, principal: string, brokers: string): string {
  const resource = acl.resource === 'cluster' ? '--cluster' : `--${acl.resource} '${acl.name}'`
  const pattern = acl.pattern === 'prefixed' ? ' --resource-pattern-type prefixed' : ''
  return (
    `kafka-acls.sh --bootstrap-server ${brokers} --command-config admin.properties --add ` +
    `--allow-principal '${principal}' --operation ${acl.operation} ${resource}${pattern}`
  )
}
