using Slipway.Server.Api;
using Slipway.Server.Ledger;
using Slipway.Server.Storage;

namespace Slipway.Server.Registry;

internal static class RegistryEndpoints
{
    public static IEnumerable<ApiEndpoint> All(Database database, LedgerWriter ledger, string folder, TimeProvider time) => [];
}
