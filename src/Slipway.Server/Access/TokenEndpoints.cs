using Microsoft.AspNetCore.Http;
using Slipway.Documents.Access;
using Slipway.Server.Api;
using Slipway.Server.Ledger;
using Slipway.Server.Storage;

namespace Slipway.Server.Access;

/// <summary>Everybody sees, makes and revokes their own tokens; an administrator everybody's.</summary>
internal sealed class TokenEndpoints(Database database, LedgerWriter ledger, TimeProvider time)
{
    public IEnumerable<ApiEndpoint> All() =>
    [
        new("GET", "/api/v1/tokens", Permission.SignedIn, ListOwnAsync),
        new("POST", "/api/v1/tokens", Permission.SignedIn, CreateAsync),
        new("POST", "/api/v1/tokens/{token}/revoke", Permission.SignedIn, RevokeAsync),
        new("GET", "/api/v1/all-tokens", Permission.Administer, ListAllAsync),
    ];

    private async Task ListOwnAsync(ApiCall call) =>
        await call.AnswerAsync(
            (await database.ReadAsync(session => TokenTable.ListAsync(session, call.Caller.Id), call.Cancellation)).RemoveAll(token => !IsItsOwn(call.Caller, token)), AccessJson.Default.ImmutableArrayApiToken);

    private async Task ListAllAsync(ApiCall call) =>
        await call.AnswerAsync(await database.ReadAsync(session => TokenTable.ListAsync(session, call.Query("principal")), call.Cancellation), AccessJson.Default.ImmutableArrayApiToken);

    private async Task CreateAsync(ApiCall call)
    {
        var wanted = await call.ReadAsync(AccessJson.Default.NewToken);
        var caller = call.Caller;
        if (caller.Token is { Scope.IsEmpty: false })
            throw ApiProblem.Forbidden("forbidden", "a token with a narrower scope makes no tokens");
        var owner = wanted.Principal ?? caller.Id;
        if (owner != caller.Id && !caller.May(Permission.Administer, null))
            throw ApiProblem.Forbidden("forbidden", $"{caller.Name} may make no tokens for others");
        var issued = await database.ChangeAsync(
            async session => await TokenIssuer.IssueAsync(
                session, ledger, caller, await PrincipalEndpoints.RequireAsync(session, owner), wanted, time.GetUtcNow().ToUnixTimeMilliseconds()),
            call.Cancellation);
        await call.AnswerAsync(issued, AccessJson.Default.IssuedToken, StatusCodes.Status201Created);
    }

    private async Task RevokeAsync(ApiCall call)
    {
        var wanted = await call.ReadAsync(AccessJson.Default.RevokeToken);
        var id = call.Segment("token");
        var answer = await database.ChangeAsync(
            async session =>
            {
                // Another's token is as if there were none.
                var token = await TokenTable.FindAsync(session, id);
                if (token is null || !IsItsOwn(call.Caller, token) && !call.Caller.May(Permission.Administer, null))
                    throw ApiProblem.NotThere("no-token", $"you have no token '{id}'", "see slipway access token list");
                var revoked = await TokenIssuer.RevokeAsync(session, ledger, call.Caller, token, wanted, time.GetUtcNow().ToUnixTimeMilliseconds());
                return new RevokedTokens(revoked, [.. await TokenTable.FamilyAsync(session, id)]);
            },
            call.Cancellation);
        await call.AnswerAsync(answer, AccessJson.Default.RevokedTokens);
    }

    /// <summary>A narrowed token is lent to a program: it may end itself, and no other token of its owner's.</summary>
    private static bool IsItsOwn(Caller caller, ApiToken token) =>
        token.Principal == caller.Id && (caller.Token is not { Scope.IsEmpty: false } narrow || narrow.Id == token.Id);
}
