/* SPDX-License-Identifier: Apache-2.0 */
/* The services and the errors of their public models. */
#include "core/smithy/error.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* CloudWatch, the model of 2010-08-01. */
static const struct aws_error cloudwatch_errors[] = {
	{ "ConcurrentModificationException", NULL, 429, false },
	{ "ConflictException", NULL, 409, false },
	{ "DashboardInvalidInputError", "InvalidParameterInput", 400, false },
	{ "DashboardNotFoundError", "ResourceNotFound", 404, false },
	{ "InternalServiceFault", "InternalServiceError", 500, true },
	{ "InvalidFormatFault", "InvalidFormat", 400, false },
	{ "InvalidNextToken", NULL, 400, false },
	{ "InvalidParameterCombinationException", "InvalidParameterCombination",
	  400, false },
	{ "InvalidParameterValueException", "InvalidParameterValue", 400,
	  false },
	{ "LimitExceededException", NULL, 400, false },
	{ "LimitExceededFault", "LimitExceeded", 400, false },
	{ "MissingRequiredParameterException", "MissingParameter", 400, false },
	{ "ResourceNotFound", NULL, 404, false },
	{ "ResourceNotFoundException", NULL, 404, false },
};

const struct aws_service aws_cloudwatch = {
	.name = "CloudWatch",
	.namespace = "com.amazonaws.cloudwatch",
	.xmlns = "http://monitoring.amazonaws.com/doc/2010-08-01/",
	.query_compatible = true,
	.errors = cloudwatch_errors,
	.error_count = COUNT(cloudwatch_errors),
	.missing = "MissingRequiredParameterException",
	.invalid = "InvalidParameterValueException",
};

/* X-Ray, the model of 2016-04-12. */
static const struct aws_error xray_errors[] = {
	{ "InvalidPolicyRevisionIdException", NULL, 400, false },
	{ "InvalidRequestException", NULL, 400, false },
	{ "LockoutPreventionException", NULL, 400, false },
	{ "MalformedPolicyDocumentException", NULL, 400, false },
	{ "PolicyCountLimitExceededException", NULL, 400, false },
	{ "PolicySizeLimitExceededException", NULL, 400, false },
	{ "ResourceNotFoundException", NULL, 404, false },
	{ "RuleLimitExceededException", NULL, 400, false },
	{ "ThrottledException", NULL, 429, false },
	{ "TooManyTagsException", NULL, 400, false },
};

const struct aws_service aws_xray = {
	.name = "X-Ray",
	.namespace = "com.amazonaws.xray",
	.errors = xray_errors,
	.error_count = COUNT(xray_errors),
	.missing = "InvalidRequestException",
	.invalid = "InvalidRequestException",
};

/* CloudWatch Logs, the model of 2014-03-28. */
static const struct aws_error logs_errors[] = {
	{ "AccessDeniedException", NULL, 400, false },
	{ "ConflictException", NULL, 400, false },
	{ "DataAlreadyAcceptedException", NULL, 400, false },
	{ "InternalServerException", NULL, 500, true },
	{ "InternalStreamingException", NULL, 400, false },
	{ "InvalidOperationException", NULL, 400, false },
	{ "InvalidParameterException", NULL, 400, false },
	{ "InvalidSequenceTokenException", NULL, 400, false },
	{ "LimitExceededException", NULL, 400, false },
	{ "MalformedQueryException", NULL, 400, false },
	{ "OperationAbortedException", NULL, 400, false },
	{ "ResourceAlreadyExistsException", NULL, 400, false },
	{ "ResourceNotFoundException", NULL, 400, false },
	{ "ServiceQuotaExceededException", NULL, 400, false },
	{ "ServiceUnavailableException", NULL, 500, true },
	{ "SessionStreamingException", NULL, 400, false },
	{ "SessionTimeoutException", NULL, 400, false },
	{ "ThrottlingException", NULL, 400, false },
	{ "TooManyTagsException", NULL, 400, false },
	{ "UnrecognizedClientException", NULL, 400, false },
	{ "ValidationException", NULL, 400, false },
};

const struct aws_service aws_logs = {
	.name = "CloudWatch Logs",
	.namespace = "com.amazonaws.cloudwatchlogs",
	.errors = logs_errors,
	.error_count = COUNT(logs_errors),
	.missing = "InvalidParameterException",
	.invalid = "InvalidParameterException",
};

/* Cost Explorer, the model of 2017-10-25. */
static const struct aws_error ce_errors[] = {
	{ "AnalysisNotFoundException", NULL, 400, false },
	{ "BackfillLimitExceededException", NULL, 400, false },
	{ "BillExpirationException", NULL, 400, false },
	{ "BillingViewHealthStatusException", NULL, 400, false },
	{ "DataUnavailableException", NULL, 400, false },
	{ "GenerationExistsException", NULL, 400, false },
	{ "InvalidNextTokenException", NULL, 400, false },
	{ "LimitExceededException", NULL, 400, false },
	{ "RequestChangedException", NULL, 400, false },
	{ "ResourceNotFoundException", NULL, 400, false },
	{ "ServiceQuotaExceededException", NULL, 400, false },
	{ "TooManyTagsException", NULL, 400, false },
	{ "UnknownMonitorException", NULL, 400, false },
	{ "UnknownSubscriptionException", NULL, 400, false },
	{ "UnresolvableUsageUnitException", NULL, 400, false },
};

const struct aws_service aws_ce = {
	.name = "Cost Explorer",
	.namespace = "com.amazonaws.costexplorer",
	.errors = ce_errors,
	.error_count = COUNT(ce_errors),
	.missing = "SerializationException",
	.invalid = "SerializationException",
};

/* Budgets, the model of 2016-10-20. */
static const struct aws_error budgets_errors[] = {
	{ "AccessDeniedException", NULL, 400, false },
	{ "BillingViewHealthStatusException", NULL, 400, false },
	{ "CreationLimitExceededException", NULL, 400, false },
	{ "DuplicateRecordException", NULL, 400, false },
	{ "ExpiredNextTokenException", NULL, 400, false },
	{ "InternalErrorException", NULL, 500, true },
	{ "InvalidNextTokenException", NULL, 400, false },
	{ "InvalidParameterException", NULL, 400, false },
	{ "NotFoundException", NULL, 400, false },
	{ "ResourceLockedException", NULL, 400, false },
	{ "ServiceQuotaExceededException", NULL, 400, false },
	{ "ThrottlingException", NULL, 400, false },
};

const struct aws_service aws_budgets = {
	.name = "Budgets",
	.namespace = "com.amazonaws.budgets",
	.errors = budgets_errors,
	.error_count = COUNT(budgets_errors),
	.missing = "InvalidParameterException",
	.invalid = "InvalidParameterException",
};

/* Lambda, the model of 2015-03-31. */
static const struct aws_error lambda_errors[] = {
	{ "CallbackTimeoutException", NULL, 400, false },
	{ "CapacityProviderLimitExceededException", NULL, 400, false },
	{ "CodeSigningConfigNotFoundException", NULL, 404, false },
	{ "CodeStorageExceededException", NULL, 400, false },
	{ "CodeVerificationFailedException", NULL, 400, false },
	{ "DurableExecutionAlreadyStartedException", NULL, 409, false },
	{ "EC2AccessDeniedException", NULL, 502, true },
	{ "EC2ThrottledException", NULL, 502, true },
	{ "EC2UnexpectedException", NULL, 502, true },
	{ "EFSIOException", NULL, 410, false },
	{ "EFSMountConnectivityException", NULL, 408, false },
	{ "EFSMountFailureException", NULL, 403, false },
	{ "EFSMountTimeoutException", NULL, 408, false },
	{ "ENILimitReachedException", NULL, 502, true },
	{ "FunctionVersionsPerCapacityProviderLimitExceededException", NULL,
	  400, false },
	{ "InvalidCodeSignatureException", NULL, 400, false },
	{ "InvalidParameterValueException", NULL, 400, false },
	{ "InvalidRequestContentException", NULL, 400, false },
	{ "InvalidRuntimeException", NULL, 502, true },
	{ "InvalidSecurityGroupIDException", NULL, 502, true },
	{ "InvalidSubnetIDException", NULL, 502, true },
	{ "InvalidZipFileException", NULL, 502, true },
	{ "KMSAccessDeniedException", NULL, 502, true },
	{ "KMSDisabledException", NULL, 502, true },
	{ "KMSInvalidStateException", NULL, 502, true },
	{ "KMSNotFoundException", NULL, 502, true },
	{ "NoPublishedVersionException", NULL, 400, false },
	{ "PolicyLengthExceededException", NULL, 400, false },
	{ "PreconditionFailedException", NULL, 412, false },
	{ "ProvisionedConcurrencyConfigNotFoundException", NULL, 404, false },
	{ "RecursiveInvocationException", NULL, 400, false },
	{ "RequestTooLargeException", NULL, 413, false },
	{ "ResourceConflictException", NULL, 409, false },
	{ "ResourceInUseException", NULL, 400, false },
	{ "ResourceNotFoundException", NULL, 404, false },
	{ "ResourceNotReadyException", NULL, 502, true },
	{ "S3FilesMountConnectivityException", NULL, 408, false },
	{ "S3FilesMountFailureException", NULL, 403, false },
	{ "S3FilesMountTimeoutException", NULL, 408, false },
	{ "SerializedRequestEntityTooLargeException", NULL, 413, false },
	{ "ServiceException", NULL, 500, true },
	{ "SnapStartException", NULL, 400, false },
	{ "SnapStartNotReadyException", NULL, 409, false },
	{ "SnapStartTimeoutException", NULL, 408, false },
	{ "SubnetIPAddressLimitReachedException", NULL, 502, true },
	{ "TooManyRequestsException", NULL, 429, false },
	{ "UnsupportedMediaTypeException", NULL, 415, false },
};

const struct aws_service aws_lambda = {
	.name = "Lambda",
	.namespace = "com.amazonaws.lambda",
	.errors = lambda_errors,
	.error_count = COUNT(lambda_errors),
	.missing = "InvalidParameterValueException",
	.invalid = "InvalidParameterValueException",
};
