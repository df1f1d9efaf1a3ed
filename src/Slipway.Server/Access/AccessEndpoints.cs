using Slipway.Server.Api;
using Slipway.Server.Ledger;
using Slipway.Server.Storage;

namespace Slipway.Server.Access;

internal static class AccessEndpoints
{
    public static IEnumerable<ApiEndpoint> All(PrincipalDirectory directory) => [];
}
