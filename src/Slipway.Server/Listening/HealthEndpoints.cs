using Microsoft.AspNetCore.Http;
using Slipway.Primitives.Faults;
using Slipway.Server.Api;
using Slipway.Server.Storage;

namespace Slipway.Server.Listening;

/// <summary>What a proxy or an orchestrator asks before it sends anybody here. An answer says nothing of what the server holds.</summary>
internal sealed class HealthEndpoints(Database database)
{
    public IEnumerable<ApiEndpoint> All() =>
    [
        new("GET", "/health/live", Permission.Anyone, LiveAsync),
        new("GET", "/health/ready", Permission.Anyone, ReadyAsync),
    ];

    /// <summary>The process answers; to start it again would help nobody.</summary>
    private static Task LiveAsync(ApiCall call)
    {
        call.Http.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    /// <summary>The database answers as well: without it nothing can be read or changed here.</summary>
    private async Task ReadyAsync(ApiCall call)
    {
        try
        {
            await database.ReadAsync(session => session.NowAsync(), call.Cancellation);
        }
        catch (SlipwayException)
        {
            // Where the database is, is nobody's business who shows no token.
            throw new ApiProblem(StatusCodes.Status503ServiceUnavailable, new Fault("not-ready", "the server cannot reach its database"));
        }

        call.Http.Response.StatusCode = StatusCodes.Status204NoContent;
    }
}
