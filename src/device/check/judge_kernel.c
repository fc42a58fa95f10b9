/* Findings about the kernel and what is mounted. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "device/check/judge.h"

#define SAY pic_finding_say

static void judge_kernel(const struct pic_check_facts *facts, struct pic_finding *finding)
{
	if (facts->missing_call)
		SAY(finding, PIC_FINDING_ERROR, "boot a newer kernel",
		    "%s has no %s: Linux %s or newer is needed", facts->release,
		    facts->missing_call, facts->missing_since);
	else
		SAY(finding, PIC_FINDING_OK, NULL, "Linux %s, %s", facts->release, facts->machine);
}

static void judge_seccomp(const struct pic_check_facts *facts, struct pic_finding *finding)
{
	if (facts->seccomp_error)
		SAY(finding, PIC_FINDING_ERROR, "boot a kernel with CONFIG_SECCOMP_FILTER",
		    "the kernel has no seccomp filters (%s): no module can be confined",
		    strerror(-facts->seccomp_error));
	else
		SAY(finding, PIC_FINDING_OK, NULL, "filters that end a process");
}

static void judge_bpf(const struct pic_check_facts *facts, struct pic_finding *finding)
{
	if (facts->bpf_error == -ENOSYS)
		SAY(finding, PIC_FINDING_WARNING,
		    "boot a kernel with CONFIG_BPF_SYSCALL, or deploy no eBPF here",
		    "the kernel has no bpf(): components of type ebpf cannot run");
	else if (!facts->is_root)
		SAY(finding, PIC_FINDING_UNSEEN, "run as root to know",
		    "bpf() is there; whether root may use it was not tried");
	else if (facts->bpf_error)
		SAY(finding, PIC_FINDING_WARNING,
		    "allow bpf and perf_event_open where this system is started (a container's filter?)",
		    "bpf() is refused even to root (%s): components of type ebpf cannot run",
		    strerror(-facts->bpf_error));
	else if (facts->jit == 0)
		SAY(finding, PIC_FINDING_WARNING, "sysctl net.core.bpf_jit_enable=1",
		    "bpf() works, but its compiler is off: programs in the kernel are slow");
	else
		SAY(finding, PIC_FINDING_OK, NULL, "bpf() works%s",
		    facts->jit > 0 ? ", its compiler is on" : "");
}

static void judge_btf(const struct pic_check_facts *facts, struct pic_finding *finding)
{
	if (facts->btf == PIC_NO)
		SAY(finding, PIC_FINDING_WARNING, "boot a kernel with CONFIG_DEBUG_INFO_BTF",
		    "the kernel does not describe its types: eBPF objects that adapt to kernels (CO-RE) cannot be loaded");
	else
		SAY(finding, PIC_FINDING_OK, NULL, "the kernel describes its types");
}

static void judge_file_system(struct pic_finding *finding, const char *name, enum pic_seen known,
			      enum pic_seen mounted, const char *without, const char *option)
{
	char advice[64];

	snprintf(advice, sizeof(advice), "boot a kernel with %s", option);
	if (known == PIC_NO)
		SAY(finding, PIC_FINDING_WARNING, advice, "the kernel has no %s: %s", name,
		    without);
	else
		SAY(finding, PIC_FINDING_OK, NULL, "%s",
		    mounted == PIC_YES
			    ? "mounted"
			    : "not mounted, and need not be: Piccolo keeps its own view of it");
}

static void judge_bpffs(const struct pic_check_facts *facts, struct pic_finding *finding)
{
	judge_file_system(finding, "bpffs", facts->bpffs, facts->bpffs_mounted,
			  "other tools cannot share programs and maps by name",
			  "CONFIG_BPF_SYSCALL");
}

static void judge_tracefs(const struct pic_check_facts *facts, struct pic_finding *finding)
{
	judge_file_system(finding, "tracefs", facts->tracefs, facts->tracefs_mounted,
			  "tracepoints and the lines of bpf_printk are not to be had",
			  "CONFIG_TRACING");
}

static void judge_kprobes(const struct pic_check_facts *facts, struct pic_finding *finding)
{
	if (facts->kprobes == PIC_UNSEEN)
		SAY(finding, PIC_FINDING_UNSEEN, NULL, "this kernel does not tell");
	else if (facts->kprobes == PIC_NO)
		SAY(finding, PIC_FINDING_WARNING,
		    "boot a kernel with CONFIG_KPROBES, or deploy no kprobe here",
		    "the kernel has no kprobes: programs of that type cannot be attached");
	else
		SAY(finding, PIC_FINDING_OK, NULL, "functions of the kernel can be probed");
}

static void name_missing(const struct pic_check_facts *facts, char out[32])
{
	out[0] = '\0';
	if (!facts->memory)
		strcat(out, "memory");
	if (!facts->pids)
		strcat(out, out[0] ? ", pids" : "pids");
	if (!facts->cpu)
		strcat(out, out[0] ? ", cpu" : "cpu");
}

static void judge_cgroups(const struct pic_check_facts *facts, struct pic_finding *finding)
{
	const char *kind = facts->cgroup_v1 != PIC_YES	 ? "v2"
			   : facts->cgroup_v2 == PIC_YES ? "v1 and v2"
							 : "v1";
	char missing[32];

	name_missing(facts, missing);
	if (facts->cgroup_v1 != PIC_YES && facts->cgroup_v2 != PIC_YES)
		SAY(finding, PIC_FINDING_ERROR, "mount -t cgroup2 none /sys/fs/cgroup",
		    "no cgroups are mounted: the supervisor cannot start");
	else if (facts->cgroup_tried == PIC_YES && facts->cgroup_error.code)
		SAY(finding, PIC_FINDING_ERROR,
		    "start it where root may make cgroups: not in a container without privileges",
		    "%s", facts->cgroup_error.text);
	else if (!facts->memory)
		SAY(finding, PIC_FINDING_WARNING,
		    "boot with cgroup_enable=memory, or hand the controller on: Delegate=yes in the unit that starts this",
		    "cgroups %s without %s: limits of memory are not enforced, and one module can take it all",
		    kind, missing);
	else if (missing[0])
		SAY(finding, PIC_FINDING_WARNING,
		    "enable the controllers in the kernel, or hand them on with Delegate=yes",
		    "cgroups %s without %s: these limits and figures are missing", kind, missing);
	else
		SAY(finding, PIC_FINDING_OK, NULL, "cgroups %s with memory, pids and cpu", kind);
}

/* Nothing of Piccolo needs them: told, because container engines and policies ask. */
static void judge_user_namespaces(const struct pic_check_facts *facts, struct pic_finding *finding)
{
	SAY(finding, PIC_FINDING_OK, NULL, "%s; Piccolo needs none",
	    facts->user_namespaces < 0	  ? "the kernel has none"
	    : facts->user_namespaces == 0 ? "switched off"
					  : "there");
}

static void judge_landlock(const struct pic_check_facts *facts, struct pic_finding *finding)
{
	if (facts->landlock > 0)
		SAY(finding, PIC_FINDING_OK, NULL, "version %d", facts->landlock);
	else
		SAY(finding, PIC_FINDING_OK, NULL,
		    "%s; modules are held by an empty root and seccomp",
		    facts->landlock == -EOPNOTSUPP ? "not switched on at boot"
						   : "not in this kernel");
}

static void judge_empty_root(const struct pic_check_facts *facts, struct pic_finding *finding)
{
	if (facts->root_tried != PIC_YES)
		SAY(finding, PIC_FINDING_UNSEEN, "run as root to know", "not tried");
	else if (facts->root_error.code)
		SAY(finding, PIC_FINDING_ERROR,
		    "start it where root may mount: not in a chroot or a container without privileges",
		    "%s", facts->root_error.text);
	else
		SAY(finding, PIC_FINDING_OK, NULL, "mount namespace and pivot_root");
}

/* Which calls the kernel has is not told at the start of the agent: its unit takes some away from it. */
const struct pic_judge pic_judges_kernel[] = {
	{ "P01", "kernel", judge_kernel, false },
	{ "P02", "bpf", judge_bpf, false },
	{ "P03", "BTF", judge_btf, true },
	{ "P04", "bpffs", judge_bpffs, true },
	{ "P05", "tracefs", judge_tracefs, true },
	{ "P06", "kprobes", judge_kprobes, false },
	{ "P07", "cgroups", judge_cgroups, true },
	{ "P08", "namespaces", judge_user_namespaces, true },
	{ "P09", "Landlock", judge_landlock, false },
	{ "P10", "seccomp", judge_seccomp, false },
	{ "P11", "empty root", judge_empty_root, false },
	{ .code = NULL },
};
