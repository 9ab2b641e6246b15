import { usageError } from '../support/errors.js';
import type { Command } from './command.js';
import { result } from './terminal.js';

const flagsOf = ({ flags }: Command): string[] => [...Object.keys(flags), 'help'].map((name) => `--${name}`);

/** Words and flags of the commands for bash. */
function bash(commands: readonly Command[]): string {
  const cases = commands.map((c) => `      ${c.name}) flags="${flagsOf(c).join(' ')}" ;;`);
  return `# eval "$(qc completion bash)"
_qc() {
  local word="\${COMP_WORDS[COMP_CWORD]}" flags=""
  if [[ $COMP_CWORD -eq 1 ]]; then
    COMPREPLY=($(compgen -W "${commands.map((c) => c.name).join(' ')} help --help --version" -- "$word"))
  elif [[ $word == -* ]]; then
    case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
    esac
    COMPREPLY=($(compgen -W "$flags" -- "$word"))
  else
    local IFS=$'\\n'
    COMPREPLY=($(compgen -f -- "$word"))
  fi
}
complete -o filenames -F _qc qc`;
}

const zsh = (commands: readonly Command[]): string =>
  `# eval "$(qc completion zsh)"\nautoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n${bash(commands)}`;

/** A text in single quotes of fish. */
const quoted = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`;

function fish(commands: readonly Command[]): string {
  const words = commands.map((c) => `complete -c qc -n __fish_use_subcommand -f -a ${c.name} -d ${quoted(c.summary)}`);
  const flags = commands.flatMap((c) =>
    Object.entries(c.flags).map(([name, { describe = '', requiresArg }]) => {
      const value = requiresArg ? ' -r' : '';
      const when = quoted(`__fish_seen_subcommand_from ${c.name}`);
      return `complete -c qc -n ${when} -l ${name}${value} -d ${quoted(String(describe))}`;
    }),
  );
  return ['# qc completion fish | source', ...words, ...flags].join('\n');
}

const SHELLS: Readonly<Record<string, (commands: readonly Command[]) => string>> = { bash, zsh, fish };

/** `qc completion`, for the commands of the list that it is part of. */
export const completionCommand = (commands: () => readonly Command[]): Command => ({
  name: 'completion',
  summary: 'Print the completion of this command line for a shell',
  subject: { name: 'SHELL', doc: 'bash, zsh or fish' },
  flags: {},
  examples: [
    ['eval "$(qc completion bash)"', 'in ~/.bashrc'],
    ['qc completion fish | source', 'in config.fish'],
  ],
  async run(shell) {
    const script = SHELLS[shell];
    if (!script) throw usageError(`unknown shell "${shell}"`, { remedy: `Use ${Object.keys(SHELLS).join(', ')}.` });
    result(script(commands()));
  },
});
