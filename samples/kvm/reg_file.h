/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files of registers, one "0x<id> 0x<value>" per line. "-" stands for a value
 * that is lost.
 */
#ifndef SAMPLES_KVM_REG_FILE_H
#define SAMPLES_KVM_REG_FILE_H

#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/types.h>

#define EXIT_TROUBLE	2

struct reg {
	__u64 id;
	__u64 value;
	bool lost;
};

struct reg_array {
	struct reg *regs;
	size_t len;
};

static void append(struct reg_array *array, struct reg reg)
{
	struct reg *regs;

	regs = reallocarray(array->regs, array->len + 1, sizeof(*regs));
	if (!regs)
		err(EXIT_TROUBLE, "out of memory");

	regs[array->len++] = reg;
	array->regs = regs;
}

/* Takes one "0x..." word from the front of the line. */
static bool take_hex(char **line, __u64 *value)
{
	char *digits = *line + 2;
	size_t len;

	if (strncmp(*line, "0x", 2))
		return false;

	len = strspn(digits, "0123456789abcdefABCDEF");
	if (!len || len > 16)
		return false;

	*value = strtoull(digits, NULL, 16);
	*line = digits + len;
	return true;
}

/* A last line without its newline has been cut short. */
static bool parse_line(char *line, struct reg *reg)
{
	if (!take_hex(&line, &reg->id) || *line++ != ' ')
		return false;

	reg->lost = !strcmp(line, "-\n");
	return reg->lost ||
	       (take_hex(&line, &reg->value) && !strcmp(line, "\n"));
}

/* Reads all of the file; a bad one is trouble. */
static struct reg_array load_regs(const char *path)
{
	struct reg_array array = {};
	char *line = NULL;
	size_t size = 0;
	FILE *file;

	file = fopen(path, "r");
	if (!file)
		err(EXIT_TROUBLE, "%s", path);

	while (getline(&line, &size, file) != -1) {
		struct reg reg = {};

		if (!parse_line(line, &reg))
			errx(EXIT_TROUBLE, "%s:%zu: not of the form \"0x<id> 0x<value>\"",
			     path, array.len + 1);

		append(&array, reg);
	}

	if (ferror(file))
		err(EXIT_TROUBLE, "%s", path);
	if (!array.len)
		errx(EXIT_TROUBLE, "%s:1: no registers", path);

	free(line);
	fclose(file);
	return array;
}

#endif /* SAMPLES_KVM_REG_FILE_H */
