# SPDX-License-Identifier: Apache-2.0
# Completion of erlclu for fish. The program itself is asked for its commands and options.

function __erlclu_commands
    erlclu --help 2>/dev/null | string replace -rf '^  ([a-z]+)(?: [A-Z\[\].]+)*  +(.*)' '$1\t$2'
end

function __erlclu_options
    set -l words (commandline -opc)
    erlclu $words[2] --help 2>/dev/null | string replace -rf '^  (--[a-z-]+)(?:\[\S+\])?(?: \S+)?  +(.*)' '$1\t$2'
end

# Whether the word before this one is one of these options.
function __erlclu_is_behind
    set -l words (commandline -opc)
    contains -- $words[-1] $argv
end

set -l specs dns: srv: k8s: gossip: epmd: hosts: file: static:

complete -c erlclu -n __fish_use_subcommand -f -a '(__erlclu_commands)'
complete -c erlclu -n __fish_use_subcommand -f -a help -d 'the options of a command'
complete -c erlclu -n '__erlclu_is_behind help' -f -a '(__erlclu_commands)'
complete -c erlclu -n 'not __fish_use_subcommand; and string match -q -- "-*" (commandline -ct)' -f -a '(__erlclu_options)'
complete -c erlclu -n '__fish_seen_subcommand_from discover wait' -f -a "$specs"
complete -c erlclu -n '__erlclu_is_behind --discover' -f -a "$specs"
complete -c erlclu -n '__erlclu_is_behind --prune' -f -a 'when_down never after:'
complete -c erlclu -n '__erlclu_is_behind --epmd' -f -a 'auto embedded external none'
complete -c erlclu -n '__erlclu_is_behind --log-level' -f -a 'debug info warning error'
complete -c erlclu -n '__erlclu_is_behind --log-format' -f -a 'text json'
