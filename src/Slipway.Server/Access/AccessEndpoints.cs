using System.Collections.Immutable;
using Slipway.Documents.Access;
using Slipway.Server.Api;
using Slipway.Server.Ledger;
using Slipway.Server.Storage;

namespace Slipway.Server.Access;

/// <summary>Who am I, and who may do what.</summary>
internal static class AccessEndpoints
{
    public static IEnumerable<ApiEndpoint> All(Database database, LedgerWriter ledger, TimeProvider time) =>
    [
        new("GET", "/api/v1/whoami", Permission.SignedIn, WhoAmIAsync),
        .. new PrincipalEndpoints(database, ledger, time).All(),
        .. new TokenEndpoints(database, ledger, time).All(),
        .. new TrustedKeyEndpoints(database, ledger, time).All(),
    ];

    private static Task WhoAmIAsync(ApiCall call) => call.AnswerAsync(
        new Identity(call.Caller.Id, call.Caller.Name, call.Caller.Kind, call.Caller.Groups, call.Caller.Roles, call.Caller.Keys, call.Caller.Expires), AccessJson.Default.Identity);
}
