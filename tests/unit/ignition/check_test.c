/* Every rule of the check, broken once: the path and the sentence. What is right says nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <errno.h>
#include <time.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "ignition/config.h"

#define V3 "{\"ignition\":{\"version\":\"3.3.0\"}"
#define STORAGE(text) V3 ",\"storage\":{" text "}}"
#define FILES(text) STORAGE("\"files\":[{" text "}]")
#define FILE_(text) FILES("\"path\":\"/etc/a\"," text)
#define LINK(text) STORAGE("\"links\":[{" text "}]")
#define UNIT(text) V3 ",\"systemd\":{\"units\":[{" text "}]}}"
#define USER(text) V3 ",\"passwd\":{\"users\":[{\"name\":\"core\"," text "}]}}"
#define HEAD(text) "{\"ignition\":{\"version\":\"3.3.0\"," text "}}"
#define HEX64 "1111111111111111111111111111111111111111111111111111111111111111"
#define SHA512 "sha512-" HEX64 HEX64
#define VERIFIED ",\"verification\":{\"hash\":\"" SHA512 "\"}"

struct broken {
	const char *text, *path, *sentence;
};

static const struct broken errors[] = {
	{ "", "", "the file is empty" },
	{ " \n", "", "the file is empty" },
	{ "{", "", "" },
	{ "[]", "", "an object is expected, found array" },
	{ "{}", "ignition.version", "is missing: an Ignition config begins" },
	{ "{\"ignition\":{}}", "ignition.version", "is missing: write" },
	{ "{\"ignition\":{\"version\":\"x\"}}", "ignition.version", "is no version" },
	{ "{\"ignition\":{\"version\":\"2.2.0\"}}", "ignition.version", "2.2.0 is the old form" },
	{ "{\"ignition\":{\"version\":\"1.0.0\"}}", "ignition.version", "is the old form" },
	{ "{\"ignition\":{\"version\":\"3.7.0\"}}", "ignition.version", "3.7.0 is not known here" },
	{ "{\"ignition\":{\"version\":\"3.5.0-experimental\"}}", "ignition.version",
	  "not known here" },
	{ "{\"ignition\":{\"version\":\"4.0.0\"}}", "ignition.version", "4.0.0 is not known here" },
	{ V3 ",\"storage\":[]}", "storage", "an object is expected, found array" },
	{ STORAGE("\"files\":{}"), "storage.files", "a list of objects is expected, found object" },
	{ STORAGE("\"files\":[7]"), "storage.files[0]", "an object is expected, found number" },
	{ FILES("\"mode\":420"), "storage.files[0].path", "is missing" },
	{ FILES("\"path\":\"etc/a\""), "storage.files[0].path", "does not begin with /" },
	{ FILES("\"path\":\"/etc//a\""), "storage.files[0].path", "is not simplified" },
	{ FILES("\"path\":\"/etc/../a\""), "storage.files[0].path", "is not simplified" },
	{ FILES("\"path\":\"/etc/\""), "storage.files[0].path", "is not simplified" },
	{ FILE_("\"mode\":\"420\""), "storage.files[0].mode",
	  "an integer is expected, found text" },
	{ FILE_("\"mode\":1.5"), "storage.files[0].mode", "an integer is expected" },
	{ FILE_("\"mode\":4096"), "storage.files[0].mode", "4096 is no mode" },
	{ FILE_("\"mode\":-1"), "storage.files[0].mode", "-1 is no mode" },
	{ FILE_("\"overwrite\":true"), "storage.files[0].overwrite", "there are no contents" },
	{ FILE_("\"user\":{\"id\":1,\"name\":\"a\"}"), "storage.files[0].user", "not both" },
	{ FILE_("\"group\":{\"id\":-5}"), "storage.files[0].group", "-5 is no id" },
	{ FILE_("\"contents\":{\"source\":\"ftp://x/y\"}"), "storage.files[0].contents.source",
	  "begins with none of" },
	{ FILE_("\"contents\":{\"source\":\"http://\"" VERIFIED "}"),
	  "storage.files[0].contents.source", "is not a URL" },
	{ FILE_("\"contents\":{\"source\":\"data:text\"}"), "storage.files[0].contents.source",
	  "has a comma" },
	{ FILE_("\"contents\":{\"source\":\"data:;base64,$$\"}"),
	  "storage.files[0].contents.source", "are damaged" },
	{ FILE_("\"contents\":{\"source\":\"arn:aws:s3:x\"" VERIFIED "}"),
	  "storage.files[0].contents.source", "comes with spec 3.4.0" },
	{ FILE_("\"contents\":{\"source\":\"data:,\",\"compression\":\"xz\"}"),
	  "storage.files[0].contents.compression", "'xz' is not known" },
	{ FILE_("\"contents\":{\"source\":\"data:,\",\"verification\":{\"hash\":\"md5-1\"}}"),
	  "storage.files[0].contents.verification.hash", "a hash is written sha512-" },
	{ FILE_("\"contents\":{\"source\":\"data:,\",\"verification\":{\"hash\":\"sha512-1\"}}"),
	  "storage.files[0].contents.verification.hash", "followed by 128 hexadecimal digits" },
	{ FILE_("\"contents\":{\"verification\":{\"hash\":\"sha256-" HEX64 "\"}}"),
	  "storage.files[0].contents.verification.hash", "there is no source" },
	{ FILE_("\"contents\":{\"source\":\"data:,\",\"httpHeaders\":[{\"name\":\"A\"}]}"),
	  "storage.files[0].contents.httpHeaders", "headers go with" },
	{ FILE_("\"contents\":{\"source\":\"https://a/\",\"httpHeaders\":[{\"name\":\"A b\"}]" VERIFIED
		"}"),
	  "storage.files[0].contents.httpHeaders[0]", "no HTTP header" },
	{ FILE_("\"contents\":{\"source\":\"https://a/\",\"httpHeaders\":[{\"name\":\"A\"},{\"name\":\"A\"}]" VERIFIED
		"}"),
	  "storage.files[0].contents.httpHeaders[1]",
	  "stands in storage.files[0].contents.httpHeaders[0]" },
	{ FILE_("\"append\":[{\"source\":\"x\"}]"), "storage.files[0].append[0].source",
	  "begins with none of" },
	{ STORAGE("\"files\":[{\"path\":\"/a\"},{\"path\":\"/a\"}]"), "storage.files[1]",
	  "/a stands in storage.files[0] already" },
	{ STORAGE("\"files\":[{\"path\":\"/a\"}],\"links\":[{\"path\":\"/a\",\"target\":\"/b\"}]"),
	  "storage.links[0]", "/a stands in storage.files[0] already" },
	{ STORAGE("\"files\":[{\"path\":\"/a/b\"}],\"links\":[{\"path\":\"/a\",\"target\":\"/c\"}]"),
	  "storage.files[0].path", "lies below storage.links[0]" },
	{ LINK("\"path\":\"/a\""), "storage.links[0].target", "is missing" },
	{ STORAGE("\"directories\":[{\"path\":\"/d\"}],\"links\":[{\"path\":\"/a\",\"target\":\"/d\","
		  "\"hard\":true}]"),
	  "storage.links[0].target", "takes no hard link" },
	{ STORAGE("\"directories\":[{\"path\":\"d\"}]"), "storage.directories[0].path",
	  "begin with /" },
	{ STORAGE("\"disks\":[{\"device\":\"sda\"}]"), "storage.disks[0].device", "begin with /" },
	{ STORAGE("\"disks\":[{\"device\":\"/dev/a\",\"partitions\":[{\"number\":0}]}]"),
	  "storage.disks[0].partitions[0]", "needs a number" },
	{ STORAGE("\"disks\":[{\"device\":\"/dev/a\",\"partitions\":[{\"number\":1},{\"number\":1}]}]"),
	  "storage.disks[0].partitions[1]", "has the number of" },
	{ STORAGE("\"disks\":[{\"device\":\"/dev/a\",\"partitions\":[{\"label\":\"x\"},{\"label\":\"x\"}]}]"),
	  "storage.disks[0].partitions[1]", "has the label of" },
	{ STORAGE("\"disks\":[{\"device\":\"/dev/a\",\"partitions\":[{\"number\":1,\"startMiB\":1,"
		  "\"sizeMiB\":9},{\"number\":2,\"startMiB\":5,\"sizeMiB\":9}]}]"),
	  "storage.disks[0].partitions[1]", "overlaps" },
	{ STORAGE("\"disks\":[{\"device\":\"/dev/a\",\"partitions\":[{\"number\":1,\"guid\":\"1\"}]}]"),
	  "storage.disks[0].partitions[0].guid", "is no GUID" },
	{ STORAGE("\"disks\":[{\"device\":\"/dev/a\",\"partitions\":[{\"label\":"
		  "\"1234567890123456789012345678901234567\"}]}]"),
	  "storage.disks[0].partitions[0].label", "longer than 36" },
	{ STORAGE("\"disks\":[{\"device\":\"/dev/a\",\"partitions\":[{\"number\":1,\"shouldExist\":false,"
		  "\"label\":\"x\"}]}]"),
	  "storage.disks[0].partitions[0]", "should not exist and is described" },
	{ STORAGE("\"raid\":[{\"name\":\"r\",\"devices\":[\"/dev/a\"]}]"), "storage.raid[0].level",
	  "is missing" },
	{ STORAGE("\"raid\":[{\"name\":\"r\",\"level\":\"raid7\",\"devices\":[\"/dev/a\"]}]"),
	  "storage.raid[0].level", "is no level" },
	{ STORAGE("\"raid\":[{\"name\":\"r\",\"level\":\"raid0\",\"spares\":1,\"devices\":[\"/dev/a\"]}]"),
	  "storage.raid[0].level", "takes no spares" },
	{ STORAGE("\"raid\":[{\"name\":\"r\",\"level\":\"raid1\"}]"), "storage.raid[0].devices",
	  "is missing" },
	{ STORAGE("\"filesystems\":[{\"device\":\"/dev/a\",\"format\":\"ntfs\"}]"),
	  "storage.filesystems[0].format", "'ntfs' is not known" },
	{ STORAGE("\"filesystems\":[{\"device\":\"/dev/a\",\"label\":\"x\"}]"),
	  "storage.filesystems[0].format", "is missing" },
	{ STORAGE("\"filesystems\":[{\"device\":\"/dev/a\",\"format\":\"vfat\",\"label\":\"123456789012\"}]"),
	  "storage.filesystems[0].label", "up to 11 characters" },
	{ STORAGE("\"filesystems\":[{\"device\":\"/dev/a\"},{\"device\":\"/dev/a\"}]"),
	  "storage.filesystems[1]", "stands in" },
	{ STORAGE("\"luks\":[{\"name\":\"a/b\",\"device\":\"/dev/a\"}]"), "storage.luks[0].name",
	  "no slash" },
	{ STORAGE("\"luks\":[{\"name\":\"a\"}]"), "storage.luks[0].device", "is missing" },
	{ STORAGE("\"luks\":[{\"name\":\"a\",\"device\":\"/dev/a\",\"label\":"
		  "\"123456789012345678901234567890123456789012345678\"}]"),
	  "storage.luks[0].label", "longer than 47" },
	{ STORAGE("\"luks\":[{\"name\":\"a\",\"device\":\"/dev/a\",\"clevis\":{\"custom\":{\"pin\":\"x\","
		  "\"config\":\"{}\"}}}]"),
	  "storage.luks[0].clevis.custom", "one of tpm2" },
	{ STORAGE("\"luks\":[{\"name\":\"a\",\"device\":\"/dev/a\",\"clevis\":{\"tpm2\":true,\"custom\":"
		  "{\"pin\":\"tpm2\",\"config\":\"{}\"}}}]"),
	  "storage.luks[0].clevis.custom", "stands alone" },
	{ STORAGE("\"luks\":[{\"name\":\"a\",\"device\":\"/dev/a\",\"clevis\":{\"tang\":[{\"url\":\"x\","
		  "\"thumbprint\":\"t\"}]}}]"),
	  "storage.luks[0].clevis.tang[0].url", "is not http" },
	{ UNIT("\"enabled\":true"), "systemd.units[0].name", "is missing" },
	{ UNIT("\"name\":\"a\""), "systemd.units[0].name", "is no unit's name" },
	{ UNIT("\"name\":\"a.service\",\"dropins\":[{\"name\":\"x\"}]"),
	  "systemd.units[0].dropins[0].name", "does not end in .conf" },
	{ V3 ",\"systemd\":{\"units\":[{\"name\":\"a.service\"},{\"name\":\"a.service\"}]}}",
	  "systemd.units[1]", "a.service stands in systemd.units[0] already" },
	{ V3 ",\"passwd\":{\"users\":[{\"name\":\"a\"},{\"name\":\"a\"}]}}", "passwd.users[1]",
	  "stands in passwd.users[0]" },
	{ V3 ",\"kernelArguments\":{\"shouldExist\":[\"a\"],\"shouldNotExist\":[\"a\"]}}",
	  "kernelArguments.shouldNotExist[0]", "a stands in kernelArguments.shouldExist[0]" },
	{ V3 ",\"kernelArguments\":{\"shouldExist\":[7]}}", "kernelArguments.shouldExist[0]",
	  "a text is expected" },
	{ HEAD("\"config\":{\"merge\":[{}]}"), "ignition.config.merge[0].source", "is missing" },
	{ HEAD("\"config\":{\"replace\":{\"source\":\"x\"}}"), "ignition.config.replace.source",
	  "begins with none of" },
	{ HEAD("\"security\":{\"tls\":{\"certificateAuthorities\":[{}]}}"),
	  "ignition.security.tls.certificateAuthorities[0].source", "is missing" },
	{ HEAD("\"proxy\":{\"httpProxy\":\"socks://x\"}"), "ignition.proxy.httpProxy",
	  "a proxy is" },
};

static const struct broken warnings[] = {
	{ UNIT("\"name\":\"sshd.service\",\"enable\":true"), "systemd.units[0].enable",
	  "write \"enabled\"" },
	{ UNIT("\"name\":\"a.service\",\"enabeld\":true"), "systemd.units[0].enabeld",
	  "did you mean \"enabled\"?" },
	{ V3 ",\"networkd\":{}}", "networkd", "/etc/systemd/network" },
	{ V3 ",\"variant\":\"flatcar\"}", "variant", "Butane" },
	{ FILE_("\"contents\":{\"inline\":\"x\"}"), "storage.files[0].contents.inline", "data:," },
	{ FILE_("\"filesystem\":\"root\""), "storage.files[0].filesystem",
	  "no named file systems" },
	{ HEAD("\"config\":{\"append\":[]}"), "ignition.config.append", "\"merge\"" },
	{ "{\"ignition\":{\"version\":\"3.2.0\"},\"kernelArguments\":{}}", "kernelArguments",
	  "comes with spec 3.3.0" },
	{ FILE_("\"mode\":644"), "storage.files[0].mode", "644 is mode 1204; for 0644 write 420" },
	{ FILE_("\"mode\":755"), "storage.files[0].mode", "for 0755 write 493" },
	{ FILE_("\"mode\":600"), "storage.files[0].mode", "for 0600 write 384" },
	{ FILE_("\"mode\":272"), "storage.files[0].mode", "272 is mode 0420: 420, which is 0644" },
	{ FILE_("\"mode\":2541"), "storage.files[0].mode", "set-id and sticky bits" },
	{ FILE_("\"contents\":{\"source\":\"https://a/b\"}"),
	  "storage.files[0].contents.verification", "whatever comes is taken" },
	{ FILE_("\"contents\":{\"source\":\"http://a/b\"" VERIFIED ",\"httpHeaders\":[{\"name\":"
		"\"Authorization\",\"value\":\"x\"}]}"),
	  "storage.files[0].contents.httpHeaders[0]", "where all can read it" },
	{ HEAD("\"config\":{\"replace\":{\"source\":\"http://a/b\"}}"),
	  "ignition.config.replace.verification", "whatever comes" },
	{ "{\"ignition\":{\"version\":\"3.3.0\",\"config\":{\"replace\":{\"source\":\"https://a/b\"}}},"
	  "\"storage\":{}}",
	  "ignition.config.replace", "replaces this whole config" },
	{ HEAD("\"proxy\":{\"httpsProxy\":\"http://p\"}"), "ignition.proxy.httpsProxy",
	  "over http://" },
	{ LINK("\"path\":\"/usr/lib/systemd/system/a.service\",\"target\":"
	       "\"/etc/systemd/system/multi-user.target.wants/a.service\""),
	  "storage.links[0]", "path and target are swapped" },
	{ LINK("\"path\":\"/etc/a\",\"target\":\"/user/lib/a\""), "storage.links[0]",
	  "/usr is meant" },
	{ LINK("\"path\":\"/user/lib/a\",\"target\":\"/b\""), "storage.links[0].path",
	  "/usr is meant" },
	{ LINK("\"path\":\"/usr/bin/a\",\"target\":\"/b\""), "storage.links[0]", "read-only" },
	{ LINK("\"path\":\"/etc/extensions/wasmtime-24.0.0.raw\",\"target\":\"/var/w/wasmtime-24.0.0.raw\""),
	  "storage.links[0].path", "write wasmtime.raw" },
	{ LINK("\"path\":\"/etc/extensions/piccolo.raw\",\"target\":\"/var/w/wasmtime.raw\""),
	  "storage.links[0].target", "whose release file it has not" },
	{ LINK("\"path\":\"/etc/extensions/piccolo.raw\",\"target\":\"/opt/piccolo.raw\""),
	  "storage.links[0].target", "no file of this config" },
	{ LINK("\"path\":\"/etc/extensions/docker-wasm.raw\",\"target\":\"/var/docker-wasm.raw\""),
	  "storage.links[0].path", "docker-flatcar.raw to /dev/null" },
	{ FILES("\"path\":\"/etc/extensions/x-v1.2.raw\""), "storage.files[0].path",
	  "write x.raw" },
	{ FILES("\"path\":\"/etc/sysupdate.x.d/x.conf\",\"contents\":{\"source\":"
		"\"data:,%5BTransfer%5D%0AVerify=false%0A\"}"),
	  "storage.files[0]", "takes whatever the server gives" },
	{ STORAGE("\"files\":[{\"path\":\"/etc/systemd/system/a.service\"}]},\"systemd\":{\"units\":[{"
		  "\"name\":\"a.service\",\"contents\":\"[Service]\"}]"),
	  "storage.files[0]", "writes the same file" },
	{ UNIT("\"name\":\"a.service\",\"contents\":\"ExecStart=/x\""), "systemd.units[0].contents",
	  "has no section" },
	{ UNIT("\"name\":\"a.service\",\"enabled\":true,\"contents\":\"[Service]\\nExecStart=/x\""),
	  "systemd.units[0].enabled", "no [Install] section" },
	{ UNIT("\"name\":\"a.service\",\"enabled\":true,\"mask\":true"), "systemd.units[0].enabled",
	  "a masked unit never starts" },
	{ UNIT("\"name\":\"a.timer\",\"contents\":\"[Timer]\\n[Install]\\nWantedBy=timers.target\""),
	  "systemd.units[0]", "is not enabled, so it never starts" },
	{ UNIT("\"name\":\"a.service\",\"contents\":\"[Service]\\nExecStartPre=/usr/lib/systemd/"
	       "systemd-sysupdate -C piccolo update\""),
	  "systemd.units[0]", "/etc/sysupdate.piccolo.d" },
	{ UNIT("\"name\":\"a.timer\",\"enabled\":true,\"contents\":\"[Timer]\\nOnCalendar=minutely\\n"
	       "[Install]\""),
	  "systemd.units[0]", "every minute" },
	{ UNIT("\"name\":\"a.path\",\"enabled\":true,\"contents\":\"[Path]\\nPathChanged=/etc/extensions\\n"
	       "[Install]\""),
	  "systemd.units[0]", "merged anew" },
	{ USER("\"sshAuthorizedKeys\":[\"hello\"]"), "passwd.users[0].sshAuthorizedKeys[0]",
	  "no public ssh key" },
	{ USER("\"passwordHash\":\"secret\""), "passwd.users[0].passwordHash", "is not a hash" },
	{ STORAGE("\"disks\":[{\"device\":\"/dev/a\",\"partitions\":[{\"label\":\"a:b\"}]}]"),
	  "storage.disks[0].partitions[0].label", "cut at the colon" },
};

static void must_say(const struct broken *broken, enum pic_ignition_severity severity)
{
	PIC_IGNITION_FINDINGS struct pic_ignition_findings findings = { .items = NULL };
	int r = pic_ignition_check(broken->text, strlen(broken->text), &findings, NULL);

	if (severity == PIC_IGNITION_ERROR ? r != -EINVAL : r != 0)
		fail_msg("%s: answered %d", broken->text, r);
	if (findings.count != 1)
		for (size_t i = 0; i < findings.count; i++)
			print_message("%s: %s\n", findings.items[i].path, findings.items[i].text);
	if (findings.count != 1 || findings.items[0].severity != severity ||
	    strcmp(findings.items[0].path, broken->path) != 0 ||
	    !strstr(findings.items[0].text, broken->sentence))
		fail_msg("%s: %zu findings: %s: %s", broken->text, findings.count,
			 findings.count ? findings.items[0].path : "",
			 findings.count ? findings.items[0].text : "");
}

static void each_error_has_path_and_sentence(void **state)
{
	(void)state;
	for (size_t i = 0; i < PIC_COUNT(errors); i++)
		must_say(&errors[i], PIC_IGNITION_ERROR);
}

static void each_warning_says_what_to_write(void **state)
{
	(void)state;
	for (size_t i = 0; i < PIC_COUNT(warnings); i++)
		must_say(&warnings[i], PIC_IGNITION_WARNING);
}

static const char *const good[] = {
	V3 "}",
	"{\"ignition\":{\"version\":\"3.0.0\"}}",
	"{\"ignition\":{\"version\":\"3.6.0\"},\"storage\":{\"files\":[{\"path\":\"/a\",\"mode\":2541}]}}",
	V3 ",\"storage\":null,\"systemd\":{\"units\":null}}",
	FILE_("\"mode\":420,\"contents\":{\"source\":\"\"}"),
	FILE_("\"mode\":384"),
	FILE_("\"mode\":493"),
	FILE_("\"mode\":256"),
	FILE_("\"contents\":{\"source\":\"https://a/b\"" VERIFIED "}"),
	FILE_("\"contents\":{\"source\":\"data:,a%20b\"},\"append\":[{\"source\":\"data:,\"},{\"source\":\"data:,\"}]"),
	FILE_("\"contents\":{\"source\":\"data:;base64,YQ==\",\"compression\":\"gzip\"}"),
	STORAGE("\"files\":[{\"path\":\"/opt/extensions/piccolo/piccolo-0.1.0-x86-64.raw\"}],\"links\":[{"
		"\"path\":\"/etc/extensions/piccolo.raw\",\"target\":"
		"\"/opt/extensions/piccolo/piccolo-0.1.0-x86-64.raw\",\"hard\":false,\"overwrite\":true}]"),
	STORAGE("\"links\":[{\"path\":\"/etc/extensions/docker-flatcar.raw\",\"target\":\"/dev/null\"}]"),
	UNIT("\"name\":\"a.service\",\"enabled\":true,\"contents\":\"[Service]\\nExecStart=/x\\n[Install]\\n"
	     "WantedBy=multi-user.target\\n\""),
	UNIT("\"name\":\"piccolo.service\",\"enabled\":true"),
	UNIT("\"name\":\"a.service\",\"dropins\":[{\"name\":\"b.conf\",\"contents\":\"[Service]\\n\"}]"),
	USER("\"sshAuthorizedKeys\":[\"ssh-ed25519 AAAA me\"],\"passwordHash\":\"$6$x\""),
	HEAD("\"config\":{\"merge\":[{\"source\":\"https://a/b\"}]}"),
};

static void what_is_right_says_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < PIC_COUNT(good); i++) {
		PIC_IGNITION_FINDINGS struct pic_ignition_findings findings = { .items = NULL };
		PIC_JSON struct pic_json *config = NULL;

		assert_int_equal(pic_ignition_check(good[i], strlen(good[i]), &findings, &config),
				 0);
		if (findings.count)
			fail_msg("%s: %s: %s", good[i], findings.items[0].path,
				 findings.items[0].text);
		assert_non_null(config);
	}
}

/* In the manner of the samples that passed validation and did not work: corrected, one sentence each. */
static void old_samples_are_corrected(void **state)
{
	static const char sample[] = V3
		",\"networkd\":{\"units\":[]},\"storage\":{\"files\":[{\"path\":\"/opt/piccolo.raw\","
		"\"mode\":272,\"contents\":{\"source\":\"https://example.org/piccolo.raw\"}}],\"links\":"
		"[{\"path\":\"/user/lib/systemd/system/piccolo.service\",\"target\":"
		"\"/etc/systemd/system/multi-user.target.wants/piccolo.service\"},"
		"{\"path\":\"/opt/wasmtime.raw\",\"target\":\"/etc/extensions/wasmtime-24.0.0.raw\"}]},"
		"\"systemd\":{\"units\":[{\"name\":\"sshd.service\",\"enable\":true},{\"name\":"
		"\"update.timer\",\"contents\":\"[Timer]\\nOnCalendar=minutely\\n[Install]\\n"
		"WantedBy=timers.target\\n\"}]}}";
	static const char *const wanted[] = {
		"networkd",
		"storage.files[0].mode",
		"storage.files[0].contents.verification",
		"storage.links[0].path",
		"storage.links[0]",
		"storage.links[1]",
		"systemd.units[0].enable",
		"systemd.units[1]",
	};
	PIC_IGNITION_FINDINGS struct pic_ignition_findings findings = { .items = NULL };

	(void)state;
	assert_int_equal(pic_ignition_check(sample, strlen(sample), &findings, NULL), 0);
	for (size_t i = 0; i < PIC_COUNT(wanted); i++) {
		bool found = false;

		for (size_t j = 0; j < findings.count; j++)
			found |= strcmp(findings.items[j].path, wanted[i]) == 0;
		if (!found)
			fail_msg("nothing is said of %s", wanted[i]);
	}
}

static void one_sentence_for_all(void **state)
{
	PIC_JSON struct pic_json *config = NULL;
	struct pic_error err = PIC_ERROR_INIT;
	static const char text[] = FILES("\"path\":\"a\"");

	(void)state;
	assert_int_equal(pic_ignition_parse(&config, text, strlen(text), "x.json", &err), -EINVAL);
	assert_string_equal(err.text, "x.json: storage.files[0].path: 'a' does not begin with /");
	assert_null(config);
}

/* Names are a stranger's: nothing of them reaches a terminal raw. */
static void quoted_text_is_escaped(void **state)
{
	static const char text[] = FILES("\"path\":\"a\\u001b[31m\",\"\\u001bx\":1");
	PIC_IGNITION_FINDINGS struct pic_ignition_findings findings = { .items = NULL };

	(void)state;
	assert_int_equal(pic_ignition_check(text, strlen(text), &findings, NULL), -EINVAL);
	assert_int_equal(findings.count, 2);
	for (size_t i = 0; i < findings.count; i++) {
		assert_null(strchr(findings.items[i].text, '\033'));
		assert_null(strchr(findings.items[i].path, '\033'));
	}
}

#define MANY 40000
#define SECONDS_OF_WORK 10 /* of the processor's time; a square takes minutes */

/* Each list of a stranger is as long as the text allows. */
static void long_lists_take_no_square(void **state)
{
	PIC_IGNITION_FINDINGS struct pic_ignition_findings findings = { .items = NULL };
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(PIC_IGNITION_SIZE_MAX);
	const clock_t begin = clock();

	(void)state;
	pic_buf_text_add(&text, V3 ",\"storage\":{\"files\":[{\"path\":\"/l7/x\"}");
	for (unsigned i = 0; i < MANY; i++)
		pic_buf_format(&text, ",{\"path\":\"/etc/systemd/system/%x\"}", i);
	pic_buf_text_add(&text, "],\"links\":[{\"path\":\"/l\",\"target\":\"/x\"}");
	for (unsigned i = 0; i < MANY; i++)
		pic_buf_format(&text, ",{\"path\":\"/l%x\",\"target\":\"/x\"}", i);
	pic_buf_text_add(&text, "]},\"systemd\":{\"units\":[{\"name\":\"first.service\"}");
	for (unsigned i = 0; i < MANY / 4; i++)
		pic_buf_format(&text, ",{\"name\":\"%x.service\",\"contents\":\"[S]\"}", i);
	pic_buf_text_add(&text, "]}}");
	assert_int_equal(pic_ignition_check(text.data, text.size, &findings, NULL), -EINVAL);
	assert_int_equal(findings.count, 1);
	assert_string_equal(findings.items[0].path, "storage.files[0].path");
	assert_non_null(strstr(findings.items[0].text, "lies below storage.links[8], /l7"));
	assert_true((clock() - begin) / CLOCKS_PER_SEC < SECONDS_OF_WORK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_error_has_path_and_sentence),
		cmocka_unit_test(each_warning_says_what_to_write),
		cmocka_unit_test(what_is_right_says_nothing),
		cmocka_unit_test(old_samples_are_corrected),
		cmocka_unit_test(one_sentence_for_all),
		cmocka_unit_test(quoted_text_is_escaped),
		cmocka_unit_test(long_lists_take_no_square),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
