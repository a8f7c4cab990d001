/* SPDX-License-Identifier: Apache-2.0 */
/* A folder that the table does not know. */
