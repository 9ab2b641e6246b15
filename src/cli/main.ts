import yargs, { type Argv } from 'yargs';
import { meaning } from '../host/files.js';
import { EXIT_CODES, ioError, QcError, usageError } from '../support/errors.js';
import { VERSION } from '../version.js';
import { benchCommand } from './bench.js';
import { calibrateCommand } from './calibrate.js';
import { type Command, checkUnknown, Flags, type Parsed } from './command.js';
import { compareCommand } from './compare.js';
import { compileCommand } from './compile.js';
import { completionCommand } from './completion.js';
import { diffCommand } from './diff.js';
import { evalCommand } from './eval.js';
import { inspectCommand } from './inspect.js';
import { PARSER } from './parse-words.js';
import { preprocessCommand } from './preprocess.js';
import { runCommand } from './run.js';
import { nearest } from './suggest.js';
import { colors, human } from './terminal.js';

const COMMANDS: readonly Command[] = [
  compileCommand,
  runCommand,
  inspectCommand,
  calibrateCommand,
  evalCommand,
  benchCommand,
  preprocessCommand,
  completionCommand(() => COMMANDS),
  compareCommand,
  diffCommand,
];

const EPILOGUE = `Results go to stdout, everything else to stderr. NO_COLOR is honoured.
Exit codes: 0 ok, 1 a check failed, 2 usage, 3 bad or unsupported model or data, 4 cannot read or write, 70 bug of qc.`;

/** The subject's name as yargs knows it; it reads `A|B` as two names for one word. */
const subjectKey = (subject: { readonly name: string }): string => subject.name.split('|')[0] as string;

/** Runs a command on what yargs parsed. */
async function execute(command: Command, parsed: Parsed): Promise<void> {
  checkUnknown(command, parsed);
  const { subject } = command;
  const flags = new Flags(parsed);
  const words = subject ? [parsed[subjectKey(subject)]].flat().filter((word) => word !== undefined) : [];
  const named = subject?.flag === undefined ? undefined : flags.required(subject.flag);
  if (words.length > 0 && named !== undefined)
    throw usageError(`${subject?.name} was given twice: "${words.join(' ')}" and --${subject?.flag} ${named}`);
  const given = named === undefined ? words.map(String) : [named];
  if (subject && given.length === 0) throw missingSubject(command, flags.text('debug'));
  if (given.includes('')) throw usageError(`${subject?.name} is an empty name`);
  await command.run(given[0] ?? '', flags, given);
}

function register(parser: Argv, command: Command): Argv {
  const { subject } = command;
  const words = subject ? [command.name, `${subject.name}${subject.many ? '...' : ''}`] : [command.name];
  const describeCommand = (y: Argv): Argv => {
    y.usage(`qc ${words.join(' ')} [flags]\n\n${command.summary}.`);
    if (subject) y.positional(subjectKey(subject), { type: 'string', describe: subject.doc });
    for (const [flag, options] of Object.entries(command.flags)) y.option(flag, options);
    return y.example(command.examples.map(([text, about]): [string, string] => [text, about]));
  };
  const name = subject && `${subject.name}${subject.many ? '..' : ''}`;
  const word = subject?.flag === undefined ? `<${name}>` : `[${name}]`;
  return parser.command(name ? `${command.name} ${word}` : command.name, command.summary, describeCommand, (parsed) =>
    execute(command, parsed as unknown as Parsed),
  );
}

/** The error where the subject of a command is missing; --debug may have taken it. */
function missingSubject(command: Command, debug: string | undefined): QcError {
  const remedy = debug
    ? `--debug took "${debug}" as its folder; write --debug last, or --debug=FOLDER.`
    : `qc ${command.name} --help shows examples.`;
  return usageError(`qc ${command.name} needs a ${command.subject?.name}`, { remedy });
}

/** An error of yargs as one of ours. */
function fromYargs(message: string, args: readonly string[]): QcError {
  const flag = /^Not enough arguments following: (.+)$/.exec(message)?.[1];
  if (flag) return usageError(`${flag.length === 1 ? '-' : '--'}${flag} needs a value`);
  const command = COMMANDS.find((c) => c.name === args[0]);
  if (!command?.subject || !message.startsWith('Not enough non-option arguments')) return usageError(message);
  const debug = args.indexOf('--debug');
  return missingSubject(command, debug > 0 ? args[debug + 1] : undefined);
}

function makeParser(argv: readonly string[]): Argv {
  const parser = yargs([...argv])
    .scriptName('qc')
    .usage('qc COMMAND [flags]\n\nCompiles quantized neural networks to self-contained int8 SIMD WebAssembly modules.')
    .locale('en')
    .parserConfiguration(PARSER)
    .wrap(Math.min(110, process.stdout.columns ?? 100))
    .help()
    .alias('help', 'h')
    .version(VERSION)
    .epilogue(EPILOGUE)
    .exitProcess(false)
    .fail((message, error: Error | undefined) => {
      throw error instanceof Error && error.name !== 'YError' ? error : fromYargs(message ?? error?.message, argv);
    });
  return COMMANDS.reduce(register, parser);
}

/** Throws a usage error unless the command line starts with a command, or asks for help or the version. */
function checkCommand(argv: readonly string[]): void {
  const [first] = argv;
  if (first === undefined) throw usageError('no command given', { remedy: 'qc --help lists the commands.' });
  if (first.startsWith('-') || COMMANDS.some((c) => c.name === first)) return;
  const guess = nearest(
    first,
    COMMANDS.map((c) => c.name),
  );
  throw usageError(`unknown command "${first}"`, {
    remedy: guess ? `Did you mean qc ${guess}?` : `The commands are ${COMMANDS.map((c) => c.name).join(', ')}.`,
  });
}

/** Tells the user what went wrong; gives the exit code. */
function report(error: unknown): number {
  const known = error instanceof QcError;
  if (known && error.kind !== 'internal') human(`${colors.red('error:')} ${error.format()}`);
  else {
    const message = known ? error.format() : error instanceof Error ? error.message : String(error);
    human(
      `${colors.red('internal error:')} ${message}\n  This is a bug of qc ${VERSION}: please report it with the model, if you can.`,
    );
    if (!process.env.QC_TRACE) human('  QC_TRACE=1 shows where it happened.');
  }
  if (process.env.QC_TRACE && error instanceof Error) human(error.stack ?? '');
  return known ? EXIT_CODES[error.kind] : EXIT_CODES.internal;
}

/** Runs the command line; gives the exit code. Never throws. */
async function main(argv: readonly string[]): Promise<number> {
  const args = argv[0] === 'help' ? [...argv.slice(1), '--help'] : argv;
  try {
    checkCommand(args);
    await makeParser(args).parseAsync();
    const asked = args.some((arg) => arg === '--help' || arg === '-h' || arg === '--version');
    if (args[0]?.startsWith('-') && !asked)
      throw usageError(`a command has to come before ${args[0]}`, { remedy: 'qc --help lists the commands.' });
    return 0;
  } catch (error) {
    return report(error);
  }
}

// A reader that stops early, such as head, is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') process.exit(report(ioError(`cannot write the result: ${meaning(error)}`)));
});
// Files are written and renamed in one turn of the event loop, so an interruption leaves none half-written.
for (const [signal, number] of [
  ['SIGINT', 2],
  ['SIGTERM', 15],
] as const)
  process.once(signal, () => {
    human(signal === 'SIGINT' ? 'interrupted' : 'terminated');
    process.exit(128 + number);
  });
process.exitCode = await main(process.argv.slice(2));
