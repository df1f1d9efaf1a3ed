using Slipway.Server.Api;
using Slipway.Server.Ledger;
using Slipway.Server.Storage;

namespace Slipway.Server.Ledger;

internal static class LedgerEndpoints
{
    public static IEnumerable<ApiEndpoint> All(Database database) => [];
}
