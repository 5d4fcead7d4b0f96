/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be said of a rule by itself: it can never match, it names a link, it matches everything,
 * it hopes for what its class does not do.
 *
 * It knows how Linux systems are usually laid out, and nothing of this one.
 */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/glob.h"
#include "policy/linter.h"

/* Links that every usual system has, and what they lead to. */
static const struct {
	const char *link, *target;
} links[] = {
	{"/bin", "/usr/bin"},	       {"/sbin", "/usr/sbin"},	   {"/lib", "/usr/lib"},
	{"/lib32", "/usr/lib32"},      {"/lib64", "/usr/lib64"},   {"/libx32", "/usr/libx32"},
	{"/var/run", "/run"},	       {"/var/lock", "/run/lock"}, {"/dev/fd", "/proc/self/fd"},
	{"/etc/mtab", "/proc/mounts"},
};

/* Directories that nobody means as a file. */
static const char *const directories[] = {
	"/",	      "/bin",	  "/boot",    "/dev",	    "/etc",	   "/home",
	"/lib",	      "/lib64",	  "/media",   "/mnt",	    "/opt",	   "/proc",
	"/root",      "/run",	  "/sbin",    "/srv",	    "/sys",	   "/tmp",
	"/usr",	      "/usr/bin", "/usr/lib", "/usr/sbin",  "/usr/local",  "/usr/local/bin",
	"/usr/share", "/var",	  "/var/lib", "/var/log",   "/var/run",	   "/var/tmp",
	"/dev/shm",   "/etc/ssh", "/etc/ssl", "/root/.ssh", "/etc/cron.d",
};

static const char *const script_suffixes[] = {".sh", ".py", ".pl", ".rb", ".js", ".php", ".lua"};

static bool is_path_match(enum pcl_match match)
{
	return match == PCL_MATCH_PATH || match == PCL_MATCH_DIR ||
	       match == PCL_MATCH_DIR_RECURSIVE;
}

/* The target of the link that path is or goes through, and what follows it; or NULL. */
static const char *through_link(const char *path, const char **ret_rest)
{
	for (size_t i = 0; i < PCL_ARRAY_SIZE(links); i++) {
		size_t len = strlen(links[i].link);

		if (strncmp(path, links[i].link, len) != 0 || (path[len] && path[len] != '/'))
			continue;
		*ret_rest = path + len;
		return links[i].target;
	}
	return NULL;
}

static int warn_link(struct pcl_linter *linter, const struct pcl_rule *rule, const char *path,
		     const char *what)
{
	const char *rest = "", *target = through_link(path, &rest);
	char hint[128 + PCL_LINT_OBJECT_SIZE];

	if (!target)
		return 0;
	(void)snprintf(hint, sizeof(hint), "write %s%s", target, rest);
	return pcl_linter_warn(linter,
			       &(struct pcl_finding){
				       .kind = PCL_LINT_SYMLINK,
				       .rule = rule,
				       .text = path,
				       .hint = hint,
			       },
			       "the %s \"%s\" goes through a link on most systems: the file is "
			       "judged by its own name, %s%s, and the rule holds for it only where "
			       "the link is found when the policy is applied",
			       what, path, target, rest);
}

static int check_links(struct pcl_linter *linter, const struct pcl_rule *rule)
{
	int error = 0;

	if (is_path_match(rule->match)) {
		error = warn_link(linter, rule, rule->object, "path");
	} else if (rule->match == PCL_MATCH_PATTERN) {
		char prefix[PCL_LINT_OBJECT_SIZE];
		size_t len = 0;
		const char *text = pcl_glob_prefix(rule->glob, &len);

		(void)snprintf(prefix, sizeof(prefix), "%.*s", (int)len, text);
		/* The last name may go on behind the prefix. */
		if (len && strchr(prefix + 1, '/'))
			error = warn_link(linter, rule, prefix, "pattern's beginning");
	}
	for (size_t i = 0; !error && i < rule->source_count; i++)
		error = warn_link(linter, rule, rule->sources[i], "fromSource");
	return error;
}

/* Why no path of one spelling can match pattern, or NULL. */
static const char *never_a_path(const struct pcl_rule *rule)
{
	const char *pattern = rule->object;
	size_t len = strlen(pattern), prefix_len = 0;
	const char *prefix = pcl_glob_prefix(rule->glob, &prefix_len);

	if (prefix_len && prefix[0] != '/')
		return "a path begins with \"/\"; begin the pattern with \"/\" or \"/**\"";
	if (!prefix_len && (pattern[0] == '?' || (pattern[0] == '*' && pattern[1] != '*')))
		return "\"*\" and \"?\" do not stand for the \"/\" that a path begins with; begin "
		       "the pattern with \"/\" or \"/**\"";
	if (len > 1 && pattern[len - 1] == '/' && pattern[len - 2] != '\\')
		return "a path has no slash at its end; remove it, or write \"/*\" for what is in "
		       "the directory";
	if (strstr(pattern, "//"))
		return "a path has no doubled slash; remove one";
	if (strstr(pattern, "/./") || strstr(pattern, "/../"))
		return "a path has no \".\" and no \"..\"; write the directory itself";
	return NULL;
}

static int check_pattern(struct pcl_linter *linter, const struct pcl_rule *rule)
{
	static const char *const samples[] = {"/q", "/zq.y/x", "/0/-q/_/z~.q"};
	const char *why = never_a_path(rule);
	size_t matched = 0;

	if (why)
		return pcl_linter_warn(linter,
				       &(struct pcl_finding){
					       .kind = PCL_LINT_NEVER_MATCHES,
					       .rule = rule,
					       .hint = strchr(why, ';') + 2,
				       },
				       "the pattern \"%s\" can never match: %.*s", rule->object,
				       (int)strcspn(why, ";"), why);
	for (size_t i = 0; i < PCL_ARRAY_SIZE(samples); i++)
		matched += pcl_glob_match(rule->glob, samples[i]);
	if (matched < PCL_ARRAY_SIZE(samples))
		return 0;
	return pcl_linter_warn(linter,
			       &(struct pcl_finding){
				       .kind = PCL_LINT_EVERYTHING,
				       .rule = rule,
				       .hint = "name the directory that is meant",
			       },
			       "the pattern \"%s\" matches every path", rule->object);
}

static int check_everything(struct pcl_linter *linter, const struct pcl_rule *rule)
{
	struct pcl_finding finding = {.kind = PCL_LINT_EVERYTHING, .rule = rule};

	if (rule->match == PCL_MATCH_DIR_RECURSIVE && !strcmp(rule->object, "/")) {
		finding.hint = "name the directory that is meant";
		return pcl_linter_warn(linter, &finding,
				       "the recursive directory \"/\" holds every path");
	}
	if (rule->match == PCL_MATCH_PROTOCOL && rule->number == PCL_PROTOCOL_ALL) {
		finding.hint = "name the protocols that are meant";
		return pcl_linter_warn(linter, &finding,
				       "the protocol \"all\" is every socket, also those of local "
				       "programs among themselves");
	}
	return 0;
}

static bool has_below(const struct pcl_policy *policy, const struct pcl_rule *rule,
		      const char **ret_below)
{
	size_t len = strlen(rule->object);

	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct pcl_rule *other = policy->rules[i];

		if (is_path_match(other->match) && !strncmp(other->object, rule->object, len) &&
		    other->object[len] == '/') {
			*ret_below = other->object;
			return true;
		}
	}
	return false;
}

/* Rules of one policy are compared, which is quadratic, so only in policies of a person's size. */
#define POLICY_RULES_COMPARED_MAX 64

static int check_directory(struct pcl_linter *linter, const struct pcl_rule *rule)
{
	struct pcl_finding finding = {.kind = PCL_LINT_DIRECTORY, .rule = rule};
	char hint[128 + PCL_LINT_OBJECT_SIZE];
	const char *below = NULL;

	if (rule->match != PCL_MATCH_PATH)
		return 0;
	(void)snprintf(hint, sizeof(hint), "write matchDirectories with dir: %s%s", rule->object,
		       strcmp(rule->object, "/") ? "/" : "");
	finding.hint = hint;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(directories); i++)
		if (!strcmp(rule->object, directories[i]))
			return pcl_linter_warn(linter, &finding,
					       "the path \"%s\" is a directory, and matchPaths "
					       "holds the directory itself and nothing in it",
					       rule->object);
	if (rule->policy->rule_count > POLICY_RULES_COMPARED_MAX ||
	    !has_below(rule->policy, rule, &below))
		return 0;
	return pcl_linter_warn(linter, &finding,
			       "the path \"%s\" must be a directory, since \"%s\" is below it, and "
			       "matchPaths holds the directory itself and nothing in it",
			       rule->object, below);
}

static bool is_script(const char *path)
{
	size_t len = strlen(path);

	for (size_t i = 0; i < PCL_ARRAY_SIZE(script_suffixes); i++) {
		size_t suffix_len = strlen(script_suffixes[i]);

		if (len > suffix_len && !strcmp(path + len - suffix_len, script_suffixes[i]))
			return true;
	}
	return false;
}

static int check_interpreter(struct pcl_linter *linter, const struct pcl_rule *rule)
{
	struct pcl_finding finding = {.kind = PCL_LINT_INTERPRETER, .rule = rule};

	for (size_t i = 0; i < rule->source_count; i++) {
		if (!is_script(rule->sources[i]))
			continue;
		finding.text = rule->sources[i];
		finding.hint = "name the interpreter, for example /usr/bin/python3";
		return pcl_linter_warn(linter, &finding,
				       "the fromSource \"%s\" looks like a script: a running "
				       "script's executable is its interpreter, so the rule never "
				       "sees it",
				       rule->sources[i]);
	}
	if (rule->class != PCL_CLASS_PROCESS || rule->action != PCL_ACTION_BLOCK ||
	    (rule->match != PCL_MATCH_PATH && rule->match != PCL_MATCH_NAME) ||
	    !is_script(rule->object))
		return 0;
	finding.hint = "add a rule of the same path below file:";
	return pcl_linter_warn(linter, &finding,
			       "\"%s\" looks like a script: this refuses executing it, while \"sh "
			       "%s\" and the like only read it, which is the file class",
			       rule->object, rule->object);
}

static int check_words(struct pcl_linter *linter, const struct pcl_rule *rule)
{
	struct pcl_finding finding = {.rule = rule};

	if (rule->class == PCL_CLASS_SYSCALL && rule->action != PCL_ACTION_AUDIT) {
		finding.kind = PCL_LINT_AUDIT_ONLY;
		finding.hint = "write action: Audit";
		return pcl_linter_warn(linter, &finding,
				       "system calls are only audited, so the action %s of \"%s\" "
				       "refuses and allows nothing",
				       pcl_action_name(rule->action), rule->syscalls[0]);
	}
	if (rule->match == PCL_MATCH_NATIVE) {
		finding.kind = PCL_LINT_NEVER_MATCHES;
		finding.text = "apparmor";
		finding.hint = "say it with process, file, network and capabilities";
		return pcl_linter_warn(linter, &finding,
				       "lines of AppArmor's own language hold under AppArmor only, "
				       "and no other rule is weighed against them");
	}
	return 0;
}

/* Whether the selector contradicts itself, so that no container can be selected. */
static const char *unselectable(const struct pcl_policy *policy)
{
	for (size_t i = 0; i < policy->expression_count; i++) {
		const struct pcl_expression *in = &policy->expressions[i];

		if (in->negated || in->value_count != 1)
			continue;
		for (size_t j = 0; j < policy->expression_count; j++) {
			const struct pcl_expression *out = &policy->expressions[j];

			if (!out->negated || out->on_namespace != in->on_namespace)
				continue;
			for (size_t v = 0; v < out->value_count; v++)
				if (!strcmp(out->values[v], in->values[0]))
					return in->values[0];
		}
	}
	return NULL;
}

static int check_selector(struct pcl_linter *linter, const struct pcl_policy *policy)
{
	const char *value = unselectable(policy);

	if (!value)
		return 0;
	return pcl_linter_warn(linter,
			       &(struct pcl_finding){
				       .kind = PCL_LINT_NEVER_MATCHES,
				       .policy = policy,
				       .text = value,
				       .hint = "remove one of the two expressions",
			       },
			       "the selector wants \"%s\" by In and excludes it by NotIn, so the "
			       "policy never holds",
			       value);
}

int pcl_lint_rule(struct pcl_linter *linter, const struct pcl_rule *rule)
{
	int error = 0;

	if (rule->policy->expression_count > 1 && rule == rule->policy->rules[0])
		error = check_selector(linter, rule->policy);
	if (!error && rule->match == PCL_MATCH_PATTERN)
		error = check_pattern(linter, rule);
	if (!error)
		error = check_everything(linter, rule);
	if (!error)
		error = check_links(linter, rule);
	if (!error)
		error = check_directory(linter, rule);
	if (!error)
		error = check_interpreter(linter, rule);
	return error ? error : check_words(linter, rule);
}
