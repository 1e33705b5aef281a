// SPDX-License-Identifier: Apache-2.0
// The smallest function that says where it runs.
exports.handler = async (event) => {
  console.log('event', JSON.stringify(event));
  return {
    statusCode: 200,
    body: JSON.stringify('Hello Ali from ' + process.env.EnvironmentName),
  };
};
