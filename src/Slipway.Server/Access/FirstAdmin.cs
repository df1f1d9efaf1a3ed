using System.Security.Cryptography;
using Slipway.Documents.Access;
using Slipway.Documents.Ledger;
using Slipway.Server.Api;
using Slipway.Server.Ledger;
using Slipway.Server.Storage;

namespace Slipway.Server.Access;

/// <summary>The way in for who has the server itself: a first administrator when there is nobody, or a new token for one when all are lost.</summary>
internal static class FirstAdmin
{
    /// <summary>
    /// All but a gateway's: whoever starts a server for themselves can use it, and a team takes from the first administrator what it wants.
    /// Nobody approves what they pushed or signed, whatever roles they hold.
    /// </summary>
    private static readonly Role[] Roles = [Role.Admin, Role.Author, Role.Approver, Role.Operator];

    /// <summary>Makes the first administrator, or, where <paramref name="again"/>, a token for the eldest that is in force.</summary>
    /// <returns>The token, which is shown once; null when there are principals, and no new token was asked for.</returns>
    public static async Task<string?> OpenAsync(Database database, LedgerWriter ledger, TimeProvider time, bool again, CancellationToken cancellation)
    {
        // Read first: a start that has nothing to do here writes nothing.
        if (!again && await database.ReadAsync(PrincipalTable.AnyAsync, cancellation))
            return null;
        return await database.ChangeAsync(
            async session =>
            {
                var all = await PrincipalTable.ListAsync(session);
                if (!again && all.Length > 0)
                    return null;
                var now = time.GetUtcNow().ToUnixTimeMilliseconds();
                var admin = all.Where(Administrators.IsOne).OrderBy(principal => principal.CreatedAt).FirstOrDefault() ?? await MakeAsync(session, ledger, now);
                return (await TokenIssuer.IssueAsync(session, ledger, LedgerWriter.Server, admin, new NewToken(admin.Id, "from the server's start", [], NewToken.DefaultDays, "The server was started with this wish."), now)).Secret;
            },
            cancellation);
    }

    private static async Task<Principal> MakeAsync(Session session, LedgerWriter ledger, long now)
    {
        var admin = new Principal(PrincipalTable.NewId(PrincipalKind.Person), "admin", PrincipalKind.Person, [], [.. Roles.Select(role => new RoleGrant(role, RoleGrant.AllModels))], Disabled: false, now);
        await ledger.RecordAsync(session, LedgerWriter.Server, "principal.created", [Subjects.Of(admin)], "There was no administrator.", Subjects.Data(admin, AccessJson.Default.Principal));
        await PrincipalTable.SaveAsync(session, admin);
        return admin;
    }
}
