#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "base/file.h"
#include "base/folder.h"
#include "base/option.h"

static struct values {
	const char *config, *hub, *output;
	bool verbose, follow;
	long long port;
	int64_t lease_ms;
	unsigned long long memory;
	struct pic_option_list listen;
	/* what a command saw */
	char ran[64], arguments[256], effective[4096];
} values;

static int note(const char *name, int argc, char **argv)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (int i = 0; i < argc; i++)
		fprintf(out, "%s%s", i ? " " : "", argv[i]);
	fprintf(out, "|hub=%s", values.hub ? values.hub : "(null)");
	for (size_t i = 0; i < values.listen.count; i++)
		fprintf(out, " %s", values.listen.items[i]);
	fclose(out);
	snprintf(values.ran, sizeof(values.ran), "%s", name);
	snprintf(values.arguments, sizeof(values.arguments), "%s", text);
	free(text);
	return PIC_EXIT_OK;
}

static const struct pic_program program;

static int run_daemon(void *data, int argc, char **argv)
{
	FILE *out = fmemopen(values.effective, sizeof(values.effective) - 1, "w");

	assert_ptr_equal(data, &values);
	pic_program_effective(&program, &values, out);
	fclose(out);
	return note("daemon", argc, argv);
}

static int run_join(void *data, int argc, char **argv)
{
	(void)data;
	return note("join", argc, argv);
}

static int run_logs(void *data, int argc, char **argv)
{
	(void)data;
	note(strcmp(values.output, "json") == 0 ? "logs json" : "logs", argc, argv);
	return PIC_EXIT_UNREACHABLE;
}

#define AT(field) offsetof(struct values, field)

static const struct pic_option root_options[] = {
	{ "config", 'c', PIC_OPTION_TEXT, "FILE", "/nonexistent/piccolo.conf", "Configuration file",
	  AT(config), PIC_OPTION_GLOBAL | PIC_OPTION_FLAG_ONLY, 0, 0 },
	{ "hub", 0, PIC_OPTION_TEXT, "URL", NULL, "Address of the hub", AT(hub), PIC_OPTION_GLOBAL,
	  0, 0 },
	{ "verbose", 'v', PIC_OPTION_FLAG, NULL, NULL, "Say more", AT(verbose), PIC_OPTION_GLOBAL,
	  0, 0 },
	{ "metrics-port", 'p', PIC_OPTION_NUMBER, "PORT", "9100", "Port of the metrics", AT(port),
	  0, 1, 65535 },
	{ "lease", 0, PIC_OPTION_DURATION, "TIME", "2h",
	  "Longest lease of a diagnostic program that may read kernel memory", AT(lease_ms), 0,
	  1000, 86400000 },
	{ "memory", 0, PIC_OPTION_SIZE, "SIZE", "64M", "Memory of a workload", AT(memory), 0, 0,
	  1LL << 30 },
	{ "listen", 'l', PIC_OPTION_LIST, "ADDR:PORT", "127.0.0.1:8443",
	  "Where to listen; may be repeated", AT(listen), 0, 0, 0 },
	{ 0 },
};
static const struct pic_option logs_options[] = {
	{ "follow", 'f', PIC_OPTION_FLAG, NULL, NULL, "Go on", AT(follow), PIC_OPTION_FLAG_ONLY, 0,
	  0 },
	{ "output", 'o', PIC_OPTION_CHOICE, "text|wide|json", "text", "How", AT(output),
	  PIC_OPTION_FLAG_ONLY, 0, 0 },
	{ 0 },
};
static const struct pic_command deep_commands[] = {
	{ "logs", "INSTANCE/COMPONENT", "Print a log", "One line.\nAnother.", logs_options, NULL,
	  run_logs, 1, 1, false },
	{ 0 },
};
static const struct pic_command commands[] = {
	{ "join", "URL", "Join a hub", NULL, NULL, NULL, run_join, 1, 1, true },
	{ "all", "[NAME]...", "Any arguments", NULL, NULL, NULL, run_join, 0, -1, false },
	{ "show", "", "Show things", NULL, NULL, deep_commands, NULL, 0, 0, false },
	{ 0 },
};
static const struct pic_program program = {
	.name = "piccolo",
	.summary = "Runs workloads on a device",
	.version = "0.1.0",
	.environment_prefix = "PICTEST_",
	.config_option = "config",
	.root = { "piccolo", "", "Runs workloads", NULL, root_options, commands, run_daemon, 0, 0,
		  false },
};

/* Runs with the words of `line`; what was said on stderr and stdout lands in `said`. */
static char said[16384];

static int run(const char *line)
{
	char *argv[32] = { NULL }, *copy = strdup(line), *rest;
	FILE *file = tmpfile();
	int argc = 0, status, saved[2] = { dup(1), dup(2) };

	for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		argv[argc++] = word;
	fflush(NULL);
	dup2(fileno(file), 1);
	dup2(fileno(file), 2);
	memset(&values, 0, sizeof(values));
	status = pic_program_run(&program, &values, argc, argv);
	fflush(NULL);
	dup2(saved[0], 1);
	dup2(saved[1], 2);
	close(saved[0]);
	close(saved[1]);
	memset(said, 0, sizeof(said));
	if (pread(fileno(file), said, sizeof(said) - 1, 0) < 0)
		said[0] = '\0';
	fclose(file);
	free(copy);
	return status;
}

static void assert_wrong(const char *line, const char *sentence)
{
	char wanted[1024];

	assert_int_equal(run(line), PIC_EXIT_USAGE);
	snprintf(wanted, sizeof(wanted), "%s%s\n",
		 strncmp(sentence, "piccolo ", 8) == 0 ? "" : "piccolo: ", sentence);
	assert_string_equal(said, wanted);
	assert_string_equal(values.ran, "");
}

static void runs_with_defaults(void **state)
{
	(void)state;
	assert_int_equal(run("piccolo"), PIC_EXIT_OK);
	assert_string_equal(values.ran, "daemon");
	assert_string_equal(values.arguments, "|hub=(null) 127.0.0.1:8443");
	assert_int_equal(values.port, 9100);
	assert_true(values.lease_ms == 7200000);
	assert_true(values.memory == 64 << 20);
	assert_false(values.verbose);
}

static void reads_all_kinds_of_flags(void **state)
{
	(void)state;
	assert_int_equal(
		run("piccolo --hub https://h --metrics-port=80 -v --lease 90s --memory 1G -l a --listen b -lc"),
		PIC_EXIT_OK);
	assert_string_equal(values.arguments, "|hub=https://h a b c");
	assert_int_equal(values.port, 80);
	assert_true(values.verbose);
	assert_true(values.lease_ms == 90000);
	assert_true(values.memory == 1 << 30);
	assert_int_equal(run("piccolo --verbose=false -vp 7"), PIC_EXIT_OK);
	assert_true(values.verbose);
	assert_int_equal(values.port, 7);
}

static void finds_commands_and_mixes_flags(void **state)
{
	(void)state;
	assert_int_equal(run("piccolo --hub x join https://h -v"), PIC_EXIT_OK);
	assert_string_equal(values.ran, "join");
	assert_string_equal(values.arguments, "https://h|hub=x 127.0.0.1:8443");
	assert_true(values.verbose);
	assert_int_equal(run("piccolo show logs -f a/b -o json"), PIC_EXIT_UNREACHABLE);
	assert_string_equal(values.ran, "logs json");
	assert_true(values.follow);
	assert_int_equal(run("piccolo all a -v -- -v --hub b -"), PIC_EXIT_OK);
	assert_string_equal(values.arguments, "a -v --hub b -|hub=(null) 127.0.0.1:8443");
	assert_int_equal(run("piccolo all -"), PIC_EXIT_OK);
}

static void says_what_is_wrong(void **state)
{
	(void)state;
	assert_wrong("piccolo --hubb x", "piccolo has no option --hubb; did you mean --hub?");
	assert_wrong("piccolo --metr 1",
		     "piccolo has no option --metr; did you mean --metrics-port?");
	assert_wrong("piccolo --zzzzzz",
		     "piccolo has no option --zzzzzz (piccolo --help lists them)");
	assert_wrong("piccolo --zz\x1b[2J",
		     "piccolo has no option --zz\\x1b[2J (piccolo --help lists them)");
	assert_wrong("piccolo -x", "piccolo has no option -x (piccolo --help lists them)");
	assert_wrong("piccolo jion https://h",
		     "piccolo has no command \"jion\"; did you mean \"join\"?");
	assert_wrong("piccolo frobnicate",
		     "piccolo has no command \"frobnicate\" (piccolo --help lists them)");
	assert_wrong("piccolo show lgos x",
		     "piccolo show has no command \"lgos\"; did you mean \"logs\"?");
	assert_wrong("piccolo show", "piccolo show needs a command: logs");
	assert_wrong("piccolo completoin bash",
		     "piccolo has no command \"completoin\"; did you mean \"completion\"?");
	assert_wrong("piccolo completion",
		     "piccolo completion takes the word bash and nothing more");
	assert_wrong("piccolo completion zsh",
		     "piccolo completion takes the word bash and nothing more");
	assert_wrong("piccolo show logs a -o jsn",
		     "--output must be text, wide or json, not \"jsn\"");
	assert_wrong("piccolo show logs a -o wid",
		     "--output must be text, wide or json, not \"wid\"");
	assert_wrong("piccolo join", "piccolo join needs URL");
	assert_wrong("piccolo join a b", "piccolo join takes URL and nothing more, but got \"b\"");
	assert_wrong("piccolo --hub", "--hub needs a value: URL");
	assert_wrong("piccolo --metrics-port 0", "--metrics-port must be between 1 and 65535");
	assert_wrong("piccolo --metrics-port x",
		     "--metrics-port must be a whole number, not \"x\"");
	assert_wrong("piccolo --lease 5",
		     "--lease must be a time like 90s, 15m or 1h30m, not \"5\"");
	assert_wrong("piccolo --lease 3d", "--lease must be between 1s and 1d");
	assert_wrong("piccolo --memory 2G", "--memory must be between 0 and 1G");
	assert_wrong("piccolo --memory lots",
		     "--memory must be a size like 512k, 64M or 1G, not \"lots\"");
	assert_wrong("piccolo --verbose=maybe", "--verbose must be true or false, not \"maybe\"");
	assert_wrong("piccolo --metrics-port 80 join x",
		     "piccolo join does not take --metrics-port");
	assert_wrong("piccolo join x --follow",
		     "piccolo join has no option --follow (piccolo join --help lists them)");
}

static void environment_beats_default_and_flag_beats_both(void **state)
{
	(void)state;
	setenv("PICTEST_METRICS_PORT", "81", 1);
	setenv("PICTEST_LISTEN", "a b", 1);
	setenv("PICTEST_HUB", "", 1);
	setenv("PICTEST_CONFIG", "/etc/passwd", 1); /* only a flag */
	assert_int_equal(run("piccolo"), PIC_EXIT_OK);
	assert_int_equal(values.port, 81);
	assert_string_equal(values.arguments, "|hub=(null) a b");
	assert_int_equal(run("piccolo --metrics-port 82 --listen c"), PIC_EXIT_OK);
	assert_int_equal(values.port, 82);
	assert_string_equal(values.arguments, "|hub=(null) c");
	setenv("PICTEST_METRICS_PORT", "many", 1);
	assert_wrong("piccolo", "PICTEST_METRICS_PORT must be a whole number, not \"many\"");
	unsetenv("PICTEST_METRICS_PORT");
	unsetenv("PICTEST_LISTEN");
	unsetenv("PICTEST_HUB");
	unsetenv("PICTEST_CONFIG");
}

static char config_line[256];

static void config(struct test_folder *folder, const char *text)
{
	assert_int_equal(pic_file_write(folder->fd, "p.conf", 0644, text, strlen(text),
					PIC_FILE_VOLATILE, NULL),
			 0);
	snprintf(config_line, sizeof(config_line), "piccolo -c %s/p.conf", folder->path);
}

static void reads_the_file(void **state)
{
	struct test_folder *folder = *state;

	config(folder, "# comment\n\n  hub = https://h/#part  # where it is\r\nmetrics-port=5\n"
		       "listen = a\nlisten = \" b # c\" # quoted\nlease =  1h");
	assert_int_equal(run(config_line), PIC_EXIT_OK);
	assert_string_equal(values.arguments, "|hub=https://h/#part a  b # c");
	assert_int_equal(values.port, 5);
	assert_true(values.lease_ms == 3600000);
	setenv("PICTEST_METRICS_PORT", "6", 1);
	assert_int_equal(run(config_line), PIC_EXIT_OK);
	assert_int_equal(values.port, 6);
	unsetenv("PICTEST_METRICS_PORT");
	/* a command that cannot see the row still reads the file */
	strcat(config_line, " show logs x");
	assert_int_equal(run(config_line), PIC_EXIT_UNREACHABLE);
	assert_int_equal(values.port, 5);
}

static void assert_bad_file(struct test_folder *folder, const char *text, const char *sentence)
{
	char wanted[512];

	config(folder, text);
	assert_int_equal(run(config_line), PIC_EXIT_USAGE);
	snprintf(wanted, sizeof(wanted), "piccolo: %s/p.conf:%s\n", folder->path, sentence);
	assert_string_equal(said, wanted);
}

static void names_file_and_line(void **state)
{
	struct test_folder *folder = *state;

	assert_bad_file(folder, "\nhubb = x\n", "2: unknown key \"hubb\"; did you mean \"hub\"?");
	assert_bad_file(folder, "x y = x\n", "1: unknown key \"x y\"");
	assert_bad_file(folder, "hub\n", "1: expected \"key = value\"");
	assert_bad_file(folder, "= x\n", "1: expected \"key = value\"");
	assert_bad_file(folder, "hub = a\n\nhub = b\n",
			"3: \"hub\" is set again (first in line 1)");
	assert_bad_file(folder, "follow = true\n", "1: \"follow\" can only be given as a flag");
	assert_bad_file(folder, "metrics-port = 70000",
			"1: metrics-port must be between 1 and 65535");
	assert_bad_file(folder, "hub = a\x1b[2J\n", "1: the line holds a control character");
	assert_bad_file(folder, "hub = \"a\" b\n", "1: something follows the closing quote");
	assert_bad_file(folder, "\xff = b\n", "1: unknown key \"\\xff\"");
}

static void a_missing_file_matters_only_when_named(void **state)
{
	(void)state;
	/* only a command that writes it may name a file that is not there */
	assert_int_equal(run("piccolo --config /nonexistent/x join u"), PIC_EXIT_OK);
	assert_wrong("piccolo --config /nonexistent/x",
		     "cannot open /nonexistent/x: No such file or directory");
}

static void shows_what_is_in_force(void **state)
{
	struct test_folder *folder = *state;
	char source[128];

	config(folder, "hub = https://u:secret@h/x\nlisten = a\nlisten = b\n");
	strcat(config_line, " --metrics-port 7");
	setenv("PICTEST_VERBOSE", "yes", 1);
	assert_int_equal(run(config_line), PIC_EXIT_OK);
	unsetenv("PICTEST_VERBOSE");
	snprintf(source, sizeof(source),
		 "hub = https://u:***@h/x                          # %s/p.conf:1\n", folder->path);
	assert_contains(values.effective, source);
	assert_contains(values.effective,
			"metrics-port = 7                                 # flag --metrics-port\n");
	assert_contains(
		values.effective,
		"verbose = true                                   # environment PICTEST_VERBOSE\n");
	assert_contains(values.effective,
			"lease = 2h                                       # default\n");
	assert_contains(values.effective, "listen = a  ");
	assert_contains(values.effective, "listen = b  ");
	assert_null(strstr(values.effective, "follow"));
	/* and it is a configuration file */
	config(folder, values.effective);
	assert_int_equal(run(config_line), PIC_EXIT_OK);
	assert_int_equal(values.port, 7);
}

static void assert_narrow(const char *text)
{
	for (const char *line = text; *line != '\0';
	     line += strcspn(line, "\n"), line += *line == '\n')
		if (strcspn(line, "\n") > 80)
			fail_msg("wider than 80: %.*s", (int)strcspn(line, "\n"), line);
}

static void helps_at_each_level(void **state)
{
	(void)state;
	assert_int_equal(run("piccolo --help"), PIC_EXIT_OK);
	assert_narrow(said);
	assert_contains(said,
			"Usage: piccolo [OPTION]... [COMMAND]\n\nRuns workloads on a device\n");
	assert_contains(said, "\n  join URL                    Join a hub\n");
	assert_contains(said, "\n  completion bash             print a script");
	assert_contains(said,
			"\n  -p, --metrics-port PORT     Port of the metrics (default: 9100)\n");
	assert_contains(
		said,
		"\n      --lease TIME            Longest lease of a diagnostic program that may\n"
		"                              read kernel memory (default: 2h)\n");
	assert_int_equal(run("piccolo show logs -h"), PIC_EXIT_OK);
	assert_narrow(said);
	assert_contains(said, "Usage: piccolo show logs [OPTION]... INSTANCE/COMPONENT\n");
	assert_contains(said, "One line.\nAnother.\n");
	assert_contains(said, "--follow");
	assert_contains(said, "--hub URL");
	assert_null(strstr(said, "--lease"));
	assert_contains(said, "-o, --output text|wide|json");
	assert_int_equal(run("piccolo completion --help"), PIC_EXIT_OK);
	assert_contains(said, "Usage: piccolo completion [OPTION]... bash\n");
	assert_int_equal(run("piccolo show --help"), PIC_EXIT_OK);
	assert_null(strstr(said, "completion"));
	assert_contains(said, "Usage: piccolo show [OPTION]... COMMAND\n");
	assert_int_equal(run("piccolo join --version"), PIC_EXIT_OK);
	assert_string_equal(said, "piccolo 0.1.0\n");
}

static void documents_itself(void **state)
{
	(void)state;
	assert_int_equal(run("piccolo documentation man"), PIC_EXIT_OK);
	assert_contains(said, ".TH PICCOLO 1 \"\" \"piccolo 0.1.0\"");
	assert_contains(
		said,
		"\\fB\\-\\-metrics\\-port\\fR \\fIPORT\\fR\nPort of the metrics (default: 9100).\n"
		"Environment: PICTEST_METRICS_PORT.\n");
	assert_contains(said, ".SS \"show logs INSTANCE/COMPONENT\"");
	assert_contains(said, ".SS \"completion bash\"");
	assert_int_equal(run("piccolo documentation markdown"), PIC_EXIT_OK);
	assert_contains(
		said,
		"| `-p`, `--metrics-port PORT` | `metrics-port`, `PICTEST_METRICS_PORT` | `9100` | "
		"Port of the metrics |\n");
	assert_contains(said, "\n## `piccolo show logs INSTANCE/COMPONENT`\n");
	assert_contains(said, "\n## `piccolo completion bash`\n");
}

/* The script, in a real bash. */
static void complete(struct test_folder *folder, const char *words, const char *wanted)
{
	char command[1024], answer[1024] = "";
	size_t used = 0;
	FILE *shell;

	snprintf(
		command, sizeof(command),
		"bash -c 'source %s/completion; COMP_WORDS=(%s); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); "
		"_piccolo; echo -n \"${COMPREPLY[*]}\"'",
		folder->path, words);
	shell = popen(command, "r");
	used = fread(answer, 1, sizeof(answer) - 1, shell);
	answer[used] = '\0';
	assert_int_equal(pclose(shell), 0);
	assert_string_equal(answer, wanted);
}

static void completes_in_bash(void **state)
{
	struct test_folder *folder = *state;

	assert_int_equal(run("piccolo completion bash"), PIC_EXIT_OK);
	assert_int_equal(pic_file_write(folder->fd, "completion", 0644, said, strlen(said),
					PIC_FILE_VOLATILE, NULL),
			 0);
	complete(folder, "piccolo \"\"", "join all show completion");
	complete(folder, "piccolo jo", "join");
	complete(folder, "piccolo --hub x sh", "show");
	complete(folder, "piccolo show \"\"", "logs");
	complete(folder, "piccolo show logs --f", "--follow");
	complete(folder, "piccolo show logs --le", "");
	complete(folder, "piccolo --m", "--metrics-port --memory");
	complete(folder, "piccolo --hub \"\"", "");
	complete(folder, "piccolo completion \"\"", "bash");
}

#define FOLDER_TEST(f) cmocka_unit_test_setup_teardown(f, test_folder_setup, test_folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_with_defaults),
		cmocka_unit_test(reads_all_kinds_of_flags),
		cmocka_unit_test(finds_commands_and_mixes_flags),
		cmocka_unit_test(says_what_is_wrong),
		cmocka_unit_test(environment_beats_default_and_flag_beats_both),
		FOLDER_TEST(reads_the_file),
		FOLDER_TEST(names_file_and_line),
		cmocka_unit_test(a_missing_file_matters_only_when_named),
		FOLDER_TEST(shows_what_is_in_force),
		cmocka_unit_test(helps_at_each_level),
		cmocka_unit_test(documents_itself),
		FOLDER_TEST(completes_in_bash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
