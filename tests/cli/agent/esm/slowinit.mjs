// SPDX-License-Identifier: Apache-2.0
throw new RangeError("no start today");
