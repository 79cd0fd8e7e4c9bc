/*
 * Replaces libkmod: the starter of iscsid has loaded the modules, so iscsid and iscsiadm need no right to load them.
 * These functions only check that the modules are loaded.
 */
#pragma once
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

struct kmod_ctx {
	char path[128];
};
struct kmod_module {
	struct kmod_ctx *context;
};
enum { KMOD_PROBE_APPLY_BLACKLIST };

static struct kmod_ctx kmod_context;
static struct kmod_module kmod_module = { &kmod_context };

static inline struct kmod_ctx *kmod_new(const char *folder, const void *files)
{
	(void)folder, (void)files;
	return &kmod_context;
}

static inline int kmod_load_resources(struct kmod_ctx *context)
{
	(void)context;
	return 0;
}

static inline int kmod_module_new_from_name(struct kmod_ctx *context, const char *name, struct kmod_module **module)
{
	snprintf(context->path, sizeof(context->path), "/sys/module/%s", name);
	*module = &kmod_module;
	return 0;
}

static inline int kmod_module_probe_insert_module(struct kmod_module *module, unsigned flags, const char *options,
						  const void *run, const void *data, const void *print)
{
	(void)flags, (void)options, (void)run, (void)data, (void)print;
	return access(module->context->path, F_OK) == 0 ? 0 : -ENOENT;
}

static inline void kmod_module_unref(struct kmod_module *module)
{
	(void)module;
}

static inline void kmod_unref(struct kmod_ctx *context)
{
	(void)context;
}
