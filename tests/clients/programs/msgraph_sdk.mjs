/** Files in OneDrive with the SDK that Kiota generates: msgraph_sdk.mjs ACTION [ARGUMENT…] */
