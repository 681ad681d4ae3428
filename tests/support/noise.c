/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/noise.h"
#include <math.h>

/* splitmix64: S. Vigna, public domain reference (prng.di.unimi.it/splitmix64.c). */
double tv_noise_uniform(struct tv_noise *noise)
{
    uint64_t x = noise->seed += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return (double)((x ^ (x >> 31)) >> 11) * 0x1p-53;
}

double tv_noise_normal(struct tv_noise *noise)
{
    double radius = sqrt(-2 * log(1 - tv_noise_uniform(noise)));
    return radius * cos(6.283185307179586 * tv_noise_uniform(noise));
}
