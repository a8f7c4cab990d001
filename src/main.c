/* SPDX-License-Identifier: Apache-2.0
 *
 * The program: the first word chooses the command.
 */
#include <openssl/crypto.h>

#include "app/run.h"
#include "cli/cli.h"
#include "net/program.h"
#include "net/signals.h"
#include "net/system.h"

static int (*const commands[CONF_COMMANDS])(const struct conf *c) = {
    [CMD_RUN] = run_main,         [CMD_DEMO] = demo_main,       [CMD_DISCOVER] = discover_main,
    [CMD_NAMES] = names_main,     [CMD_EPMD] = epmd_main,       [CMD_PING] = ping_main,
    [CMD_CALL] = call_main,       [CMD_SEND] = send_main,       [CMD_SHELL] = shell_main,
    [CMD_NODES] = nodes_main,     [CMD_STATUS] = status_main,   [CMD_WAIT] = wait_main,
    [CMD_INSTALL] = install_main, [CMD_VERSION] = version_main,
};

static int run_command(enum conf_command command, int argc, char **argv)
{
    struct conf c = {0};
    int status = EXIT_DONE;

    if (program_load(&c, command, argc, argv, &status))
        status = commands[command](&c);
    conf_fini(&c);
    return status;
}

static int print_overview(void)
{
    struct buf out = {0};

    conf_overview(&out);
    return program_print(&out);
}

static int no_command(const char *word)
{
    const char *nearest = conf_nearest_command(word);

    if (nearest != NULL)
        return program_fail(EXIT_USAGE, "there is no command %s: did you mean %s?", word, nearest);
    return program_fail(EXIT_USAGE, "there is no command %s: erlclu help lists them", word);
}

static int run_word(const char *word, int argc, char **argv)
{
    enum conf_command command = conf_command_of(word);

    return command == CONF_COMMANDS ? no_command(word) : run_command(command, argc, argv);
}

/* "erlclu help ping" is "erlclu ping --help". */
static int help_on(const char *word)
{
    char help[] = "--help", *words[] = {help};

    return run_word(word, 1, words);
}

static bool is_one_of(const char *word, const char *const *words)
{
    while (*words != NULL && strcmp(word, *words) != 0)
        words++;
    return *words != NULL;
}

int main(int argc, char **argv)
{
    static const char *const helps[] = {"help", "--help", "-h", NULL};
    static const char *const versions[] = {"--version", "-V", NULL};

    system_hold_streams();
    /* What this host's openssl.cnf says is about TLS and engines; we hash. Without the tables of
     * old names, which cost four fifths of a command's instructions, digests come from the provider
     * all the same. */
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ADD_ALL_CIPHERS |
                            OPENSSL_INIT_NO_ADD_ALL_DIGESTS,
                        NULL);
    signals_ignore_pipe();
    signals_ignore_full();
    signals_heed_as_first();
    if (argc < 2)
        return program_fail(EXIT_USAGE, "a command is missing: erlclu help lists them");
    if (is_one_of(argv[1], helps))
        return argc == 2 || is_one_of(argv[2], helps) ? print_overview() : help_on(argv[2]);
    if (is_one_of(argv[1], versions))
        return run_command(CMD_VERSION, argc - 2, argv + 2);
    return run_word(argv[1], argc - 2, argv + 2);
}
