using System.Collections.Immutable;
using Microsoft.AspNetCore.Http;
using Slipway.Documents.Access;
using Slipway.Server.Api;
using Slipway.Server.Ledger;
using Slipway.Server.Storage;

namespace Slipway.Server.Access;

internal sealed class PrincipalEndpoints(Database database, LedgerWriter ledger, TimeProvider time)
{
    public IEnumerable<ApiEndpoint> All() =>
    [
        new("GET", "/api/v1/principals", Permission.Administer, ListAsync),
        new("POST", "/api/v1/principals", Permission.Administer, CreateAsync),
        new("GET", "/api/v1/principals/{principal}", Permission.Administer, ShowAsync),
        new("POST", "/api/v1/principals/{principal}/changes", Permission.Administer, ChangeAsync),
    ];

    /// <exception cref="ApiProblem">There is none (404).</exception>
    public static async Task<Principal> RequireAsync(Session session, string id) =>
        await PrincipalTable.FindAsync(session, id) ?? throw ApiProblem.NotThere("no-principal", $"there is no principal '{id}'", "see slipway access principals");

    private async Task ListAsync(ApiCall call) =>
        await call.AnswerAsync(await database.ReadAsync(PrincipalTable.ListAsync, call.Cancellation), AccessJson.Default.ImmutableArrayPrincipal);

    private async Task ShowAsync(ApiCall call) =>
        await call.AnswerAsync(await database.ReadAsync(session => RequireAsync(session, call.Segment("principal")), call.Cancellation), AccessJson.Default.Principal);

    private async Task CreateAsync(ApiCall call)
    {
        var wanted = await call.ReadAsync(AccessJson.Default.NewPrincipal);
        var principal = new Principal(PrincipalTable.NewId(wanted.Kind), wanted.Name, wanted.Kind, Sorted(wanted.Groups), Sorted(wanted.Roles), Disabled: false, time.GetUtcNow().ToUnixTimeMilliseconds());
        Check(principal);
        await database.ChangeAsync(
            async session =>
            {
                await ledger.RecordAsync(session, call.Caller, "principal.created", [Subjects.Of(principal)], wanted.Reason, Subjects.Data(principal, AccessJson.Default.Principal));
                await PrincipalTable.SaveAsync(session, principal);
            },
            call.Cancellation);
        await call.AnswerAsync(principal, AccessJson.Default.Principal, StatusCodes.Status201Created);
    }

    private async Task ChangeAsync(ApiCall call)
    {
        var wanted = await call.ReadAsync(AccessJson.Default.PrincipalChange);
        var changed = await database.ChangeAsync(
            async session =>
            {
                var before = await RequireAsync(session, call.Segment("principal"));
                var after = before with
                {
                    Name = wanted.Name ?? before.Name,
                    Disabled = wanted.Disabled ?? before.Disabled,
                    Groups = Sorted(before.Groups.Except(wanted.Leave).Union(wanted.Join)),
                    Roles = Sorted(before.Roles.Except(wanted.Revoke).Union(wanted.Grant)),
                };
                Check(after);
                await Administrators.RequireOneAsync(session, before, after);
                await ledger.RecordAsync(session, call.Caller, "principal.changed", [Subjects.Of(after)], wanted.Reason, Subjects.Data(after, AccessJson.Default.Principal));
                await PrincipalTable.SaveAsync(session, after);
                return after;
            },
            call.Cancellation);
        await call.AnswerAsync(changed, AccessJson.Default.Principal);
    }

    private static void Check(Principal principal)
    {
        Checks.Name("name", principal.Name);
        Checks.Groups("groups", principal.Groups);
        Checks.Roles("roles", principal.Roles);
    }

    private static ImmutableArray<string> Sorted(IEnumerable<string> groups) => [.. groups.Distinct().Order(StringComparer.Ordinal)];

    private static ImmutableArray<RoleGrant> Sorted(IEnumerable<RoleGrant> roles) =>
        [.. roles.Distinct().OrderBy(role => role.Role).ThenBy(role => role.Model, StringComparer.Ordinal)];
}
