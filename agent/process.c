/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/process.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/text.h"

enum { PROC_TEXT_MAX = 4096 };

struct relation {
	pid_t pid;
	pid_t parent;
	pid_t session;
};

void process_tree_init(struct process_tree *t, pid_t root)
{
	*t = (struct process_tree){ .root = root };
}

static ssize_t read_proc(pid_t pid, const char *file, char *out, size_t size)
{
	char path[48];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, out, size - 1);
	close(fd);
	if (n < 0)
		return -1;
	out[n] = '\0';
	return n;
}

/* "123 (name with ) in it) S 1 123 123 ...": pid, state, parent, group,
 * session. The name may hold anything, so the last ')' ends it. */
static bool read_relation(pid_t pid, struct relation *out)
{
	char text[PROC_TEXT_MAX];
	const char *p;
	int parent;
	int session;

	if (read_proc(pid, "stat", text, sizeof(text)) < 0)
		return false;
	p = strrchr(text, ')');
	/* The kernel's own numbers, all of which are ints. */
	/* NOLINTNEXTLINE(cert-err34-c) */
	if (!p || sscanf(p + 1, " %*c %d %*d %d", &parent, &session) != 2)
		return false;
	out->pid = pid;
	out->parent = (pid_t)parent;
	out->session = (pid_t)session;
	return true;
}

static uint64_t status_kb(const char *text, const char *key)
{
	const char *p = strstr(text, key);

	return p ? strtoull(p + strlen(key), NULL, 10) : 0;
}

static bool is_member(const struct process_tree *t, pid_t pid)
{
	if (pid == t->root)
		return true;
	for (unsigned i = 0; i < t->count; i++)
		if (t->members[i] == pid)
			return true;
	return false;
}

/* One pass over /proc. A child has mostly a higher number than its parent and
 * /proc is in order of numbers; where it is not so, the next pass has it. */
static void scan(struct process_tree *t)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		struct relation r;
		uint64_t pid;

		if (!sv_to_u64(sv_from(entry->d_name), &pid) ||
		    is_member(t, (pid_t)pid) || !read_relation((pid_t)pid, &r))
			continue;
		if (r.session != t->root && !is_member(t, r.parent))
			continue;
		if (t->count == TREE_PROCESSES_MAX) {
			t->overflow = true;
			break;
		}
		t->members[t->count++] = r.pid;
	}
	closedir(dir);
}

/* Takes the status of the dead that came to us as orphans (subreaper). One
 * that is dead but somebody else's stays a member: it may come to us yet, and
 * dropped now it would stay a zombie as long as we live. */
static void drop_dead(struct process_tree *t)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < t->count; i++) {
		struct relation r;

		waitpid(t->members[i], NULL, WNOHANG);
		if (read_relation(t->members[i], &r))
			t->members[kept++] = t->members[i];
	}
	t->count = kept;
}

uint64_t process_tree_sample_kb(struct process_tree *t, struct instant now)
{
	char text[PROC_TEXT_MAX];
	uint64_t own_peak = 0;
	uint64_t sum = 0;

	if (!t->fresh ||
	    now.ns - t->scanned.ns >= TREE_SCAN_MS * (uint64_t)NS_PER_MS) {
		drop_dead(t);
		scan(t);
		t->scanned = now;
		t->fresh = true;
	}
	if (read_proc(t->root, "status", text, sizeof(text)) > 0) {
		own_peak = status_kb(text, "\nVmHWM:");
		sum = status_kb(text, "\nVmRSS:");
	}
	for (unsigned i = 0; i < t->count; i++)
		if (read_proc(t->members[i], "status", text, sizeof(text)) > 0)
			sum += status_kb(text, "\nVmRSS:");
	if (own_peak > sum)
		sum = own_peak;
	if (sum > t->peak_kb)
		t->peak_kb = sum;
	return sum;
}

/* Kills the members found so far and once more looked for. A process that
 * forks while it is looked for is found by the next round. Returns how many
 * there were, dead or alive. */
static unsigned kill_members(struct process_tree *t)
{
	drop_dead(t);
	scan(t);
	for (unsigned i = 0; i < t->count; i++)
		kill(t->members[i], SIGKILL);
	return t->count;
}

/* The root is not reaped here, so its number, and with it the number of its
 * group and session, cannot be given to a stranger meanwhile. */
void process_tree_kill(struct process_tree *t)
{
	assert(t->root > 1);
	kill(-t->root, SIGKILL);
	kill(t->root, SIGKILL);
	for (int round = 0; round < TREE_KILL_ROUNDS; round++) {
		if (!kill_members(t))
			return;
		usleep(1000);
	}
}

void process_tree_kill_children(struct process_tree *t)
{
	for (int round = 0; round < TREE_KILL_ROUNDS; round++) {
		if (!kill_members(t))
			return;
		usleep(1000);
	}
}
