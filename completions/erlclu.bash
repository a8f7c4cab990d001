# SPDX-License-Identifier: Apache-2.0
# Completion of erlclu for bash. The program itself is asked for its commands and options.

# The schemes; what follows is not ours to guess.
_erlclu_specs() {
    compopt -o nospace 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -W 'dns: srv: k8s: gossip: epmd: hosts: file: static:' -- "$1")
}

_erlclu() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} program=${COMP_WORDS[0]}
    COMPREPLY=()
    case $prev in
    --*-file | --template) mapfile -t COMPREPLY < <(compgen -f -- "$cur") && return ;;
    --discover) _erlclu_specs "$cur" && return ;;
    --prune) mapfile -t COMPREPLY < <(compgen -W 'when_down never after:' -- "$cur") && return ;;
    --epmd) mapfile -t COMPREPLY < <(compgen -W 'auto embedded external none' -- "$cur") && return ;;
    --log-level) mapfile -t COMPREPLY < <(compgen -W 'debug info warning error' -- "$cur") && return ;;
    --log-format) mapfile -t COMPREPLY < <(compgen -W 'text json' -- "$cur") && return ;;
    esac
    if ((COMP_CWORD == 1)) || [[ $COMP_CWORD == 2 && ${COMP_WORDS[1]} == help ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$("$program" --help 2>/dev/null | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p') $( ((COMP_CWORD == 1)) && echo help --help)" -- "$cur")
    elif [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$("$program" "${COMP_WORDS[1]}" --help 2>/dev/null | grep -oE -- '--[a-z-]+' | sort -u)" -- "$cur")
    elif [[ ${COMP_WORDS[1]} == discover || ${COMP_WORDS[1]} == wait ]]; then
        _erlclu_specs "$cur"
    else
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    fi
}
complete -o filenames -F _erlclu erlclu
