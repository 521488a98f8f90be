import { resolveLibchdb } from 'chdb/libchdb'
import { DataType, isNullPointer, load, open } from 'ffi-rs'

// The program of the child process that becomes ClickHouse: node clickhouse-process.ts CONFIG_FILE DATA_FOLDER.
// The engine runs on the main thread, because it checks its stack, and returns when standard input closes.

// The last query waits for standard input without using any CPU; while it waits, the listeners serve.
const SERVE = [
  'SYSTEM START LISTEN HTTP',
  'SYSTEM START LISTEN TCP',
  "SELECT * FROM file('-', 'LineAsString', 'line String') FORMAT Null",
].join('; ')

const [configFile, dataFolder] = process.argv.slice(2)
const args = [
  'clickhouse',
  `--config-file=${configFile}`,
  `--path=${dataFolder}`,
  '--log-level=information',
  `--query=${SERVE}`,
]
open({ library: 'chdb', path: resolveLibchdb().path })
const result = load({
  library: 'chdb',
  funcName: 'chdb_query_cmdline',
  retType: DataType.External,
  paramsType: [DataType.I32, DataType.StringArray],
  paramsValue: [args.length, args],
})

// Some failures, such as a folder it cannot use, the engine prints nowhere: they are only in its result.
const error = {
  library: 'chdb',
  funcName: 'chdb_result_error',
  paramsType: [DataType.External],
  paramsValue: [result],
}
if (!isNullPointer(load({ ...error, retType: DataType.External }))) {
  const [reason] = load({ ...error, retType: DataType.String }).split(', Stack trace')
  process.stderr.write(`${reason}\n`)
  process.exitCode = 1
}
