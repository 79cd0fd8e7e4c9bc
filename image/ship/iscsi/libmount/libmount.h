/*
 * Replaces libmount, which takes 550 kB packed: before open-iscsi ends a session it checks whether one of its disks is
 * mounted or used for swap. A table is a file whose lines begin with the device. proc_mounts(5), proc_swaps(5)
 */
#pragma once
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct libmnt_cache;
struct libmnt_fs;
struct libmnt_table {
	const char *path;
};
enum { MNT_ITER_FORWARD };

static inline void mnt_init_debug(int mask)
{
	(void)mask;
}

static inline struct libmnt_table *mnt_new_table(void)
{
	return calloc(1, sizeof(struct libmnt_table));
}

static inline void mnt_free_table(struct libmnt_table *table)
{
	free(table);
}

/* The result must not be NULL. */
static inline struct libmnt_cache *mnt_new_cache(void)
{
	return calloc(1, 1);
}

static inline void mnt_free_cache(struct libmnt_cache *cache)
{
	free(cache);
}

static inline void mnt_table_set_cache(struct libmnt_table *table, struct libmnt_cache *cache)
{
	(void)table, (void)cache;
}

static inline void mnt_table_parse_mtab(struct libmnt_table *table, const char *path)
{
	(void)path;
	table->path = "/proc/self/mounts";
}

static inline void mnt_table_parse_swaps(struct libmnt_table *table, const char *path)
{
	(void)path;
	table->path = "/proc/swaps";
}

/* Returns an opaque pointer, not NULL, if a line begins with the device. */
static inline struct libmnt_fs *mnt_table_find_source(struct libmnt_table *table, const char *device, int direction)
{
	FILE *file = fopen(table->path, "re");
	char line[4096];
	size_t length = strlen(device);
	int found = 0;

	(void)direction;
	while (file != NULL && !found && fgets(line, sizeof(line), file) != NULL)
		found = strncmp(line, device, length) == 0 && (line[length] == ' ' || line[length] == '\t');
	if (file != NULL)
		fclose(file);
	return found ? (struct libmnt_fs *)table : NULL;
}
