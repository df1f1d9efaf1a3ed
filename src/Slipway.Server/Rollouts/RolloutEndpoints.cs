using Slipway.Server.Api;
using Slipway.Server.Ledger;
using Slipway.Server.Storage;

namespace Slipway.Server.Rollouts;

internal static class RolloutEndpoints
{
    public static IEnumerable<ApiEndpoint> All(Database database, LedgerWriter ledger, ServerOptions options) => [];
}
