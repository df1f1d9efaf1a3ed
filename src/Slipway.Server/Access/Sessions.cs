using Slipway.Primitives.Faults;
using Slipway.Server.Api;
using Slipway.Server.Storage;

namespace Slipway.Server.Access;

/// <summary>Browsers that are signed in. A session ends with the token that it was made with, when its principal is disabled, and by its own times.</summary>
internal sealed class Sessions(Database database, PrincipalDirectory directory, TimeProvider time)
{
    /// <summary>Of one principal at a time; with one more, the oldest ends.</summary>
    public const int MostOfOne = 50;

    /// <summary>Without a request in that time, a session is over. Source: OWASP Session Management, for applications of low risk 15 to 30 min, here a working day.</summary>
    public static readonly TimeSpan Idle = TimeSpan.FromHours(8);

    /// <summary>Whatever was done in it, a session is over then.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromHours(24);

    /// <summary>How exactly the last use is known: writing it at each request would make every reader a writer.</summary>
    public static readonly TimeSpan SeenStep = TimeSpan.FromMinutes(10);

    /// <summary>Begins one for who proved who they are.</summary>
    /// <exception cref="ApiProblem">It is the token of the gateway beside the server, which is nobody's (403).</exception>
    public async Task<SessionSecret> BeginAsync(Caller caller, CancellationToken cancellation)
    {
        if (caller.Token is null && caller.Provided is null)
            throw ApiProblem.Forbidden("no-session", $"{caller.Name} is no one who looks at pages");
        var (secret, now) = (SessionSecret.Create(), Now);
        var end = Math.Min(now + (long)Longest.TotalMilliseconds, caller.Expires ?? long.MaxValue);
        await database.ChangeAsync(
            async session =>
            {
                await SessionTable.AddAsync(session, new(secret.Hash, caller.Id, caller.Token?.Id, caller.Provided, now, now, end));
                await SessionTable.TidyAsync(session, caller.Id, MostOfOne, now);
            },
            cancellation);
        return secret;
    }

    /// <summary>Who it is, with what they may do now.</summary>
    /// <param name="isUse">Whether a person does something: what an open page asks by itself keeps no session alive.</param>
    /// <exception cref="ApiProblem">It is over, or what it was made with is (401).</exception>
    public async Task<Caller> ResumeAsync(SessionSecret secret, bool isUse, CancellationToken cancellation)
    {
        var now = Now;
        var stored = await database.ReadAsync(session => SessionTable.FindAsync(session, secret.Hash), cancellation);
        if (stored is null || now >= stored.ExpiresAt || now - stored.SeenAt >= Idle.TotalMilliseconds)
            throw ApiProblem.Unproven("session-over", "your session is over", "sign in again");
        var caller = await directory.IdentifyAsync(stored, cancellation);
        if (isUse && now - stored.SeenAt >= SeenStep.TotalMilliseconds)
            await TouchAsync(secret, now, cancellation);
        return caller;
    }

    /// <summary>Ends one; whether there was any is told to nobody.</summary>
    public Task EndAsync(SessionSecret secret, CancellationToken cancellation) => database.ChangeAsync(session => SessionTable.RemoveAsync(session, secret.Hash), cancellation);

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    private async Task TouchAsync(SessionSecret secret, long now, CancellationToken cancellation)
    {
        try
        {
            await database.ChangeAsync(session => SessionTable.TouchAsync(session, secret.Hash, now), cancellation);
        }
        catch (SlipwayException)
        {
            // A full disk must not keep readers out: the next request tries again.
        }
    }
}
