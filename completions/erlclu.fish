# SPDX-License-Identifier: Apache-2.0
# Completion of erlclu for fish. The program itself is asked for its commands and options.

function __erlclu_commands
    erlclu --help 2>/dev/null | string replace -rf '^  ([a-z]+) +(.*)' '$1\t$2'
end

function __erlclu_options
    set -l words (commandline -opc)
    erlclu $words[2] --help 2>/dev/null | string match -raf -- '--[a-z-]+' | sort -u
end

set -l specs dns: srv: k8s: gossip: epmd: hosts: file: static:

complete -c erlclu -n __fish_use_subcommand -f -a '(__erlclu_commands)'
complete -c erlclu -n 'not __fish_use_subcommand; and string match -q -- "-*" (commandline -ct)' -f -a '(__erlclu_options)'
complete -c erlclu -n '__fish_seen_subcommand_from discover wait' -f -a "$specs"
complete -c erlclu -n '__fish_seen_subcommand_from run discover wait' -l discover -x -a "$specs"
complete -c erlclu -n '__fish_seen_subcommand_from run' -l prune -x -a 'when_down never after:'
