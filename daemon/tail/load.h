/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TAIL_LOAD_H
#define TAIL_LOAD_H
/* Reads all files of a run that was found into a run of the engine. */
#include "engine/engine.h"
#include "tail/discover.h"
#include <stdatomic.h>

/* Reads the run's configuration files, then its logs, all sources in step. Does not call
 * tv_run_end(). What cannot be opened or read goes to the run's report and its on_problem receiver.
 * `bytes` grows as bytes are read, for progress; NULL: nobody looks. */
void tv_load_run(struct tv_run *run, const struct tv_found_run *found,
                 atomic_uint_least64_t *bytes);

/* Reads one configuration file; its facts are given the rank of the command line when `from_user`.
 * Errors: as tv_reader_open; TV_EUNSUPPORTED when the file is a log. */
enum tv_status tv_load_config(struct tv_run *run, const char *path, bool from_user,
                              struct tv_error *reterr);

#endif
