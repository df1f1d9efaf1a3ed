using System.Collections.Immutable;
using System.Text;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Faults;
using Slipway.Server.Access;
using Slipway.Server.Api;
using Slipway.Server.Registry;
using Slipway.Server.Rollouts;
using Slipway.Server.Storage;

namespace Slipway.Server.Web;

/// <summary>The pages. They only read: a signed-in browser can change nothing, so no other site can make it do so.</summary>
/// <remarks>The API does not take a <see cref="BrowserSession"/>: there a token stands in the Authorization header.</remarks>
internal sealed class PageEndpoints(Database database, SignIn signIn, TimeProvider time)
{
    /// <summary>What a browser may do with a page: load its style, and send its forms back here. Source: CSP level 3.</summary>
    private const string Policy = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    /// <summary>Bytes of a form: a token, and room for what a browser sends beside it.</summary>
    private const int LargestForm = 64 * 1024;

    /// <summary>Versions of a model that the first page shows; the API has them all.</summary>
    private const int ShownVersions = 10;

    /// <summary>Of a model: two rollouts or so, the rest is in <c>slipway history</c>.</summary>
    private const int ShownHistory = 8;

    private readonly PageRenderer renderer = new();

    public IEnumerable<ApiEndpoint> All() =>
    [
        new("GET", "/", Permission.Anyone, ShowAsync),
        new("GET", PageAssets.StylePath, Permission.Anyone, StyleAsync),
        new("POST", "/sign-in", Permission.Anyone, SignInAsync) { BodyLimit = LargestForm },
        new("POST", "/sign-out", Permission.Anyone, SignOutAsync),
    ];

    private async Task ShowAsync(ApiCall call)
    {
        if (BrowserSession.TokenOf(call.Http.Request) is not { } token)
        {
            await ShowSignInAsync(call);
            return;
        }

        if (await TryIdentifyAsync(call, token) is not { } caller)
            return;
        await AnswerAsync<OverviewPage>(call, StatusCodes.Status200OK, nameof(OverviewPage.Overview), await ReadAsync(caller, call.Cancellation));
    }

    private Task<Overview> ReadAsync(Caller caller, CancellationToken cancellation) => database.ReadAsync(
        async session =>
        {
            var now = time.GetUtcNow().ToUnixTimeMilliseconds();
            var models = ImmutableArray.CreateBuilder<ModelOverview>();
            foreach (var model in (await VersionTable.ModelsAsync(session)).Where(model => caller.May(Permission.Read, model)))
            {
                var channels = await ChannelStates.OfAsync(session, model);
                var rollouts = ImmutableArray.CreateBuilder<RolloutView>();
                foreach (var running in channels.Where(channel => channel.Rollout is not null))
                    rollouts.Add(await RolloutOrders.ViewAsync(session, model, running.Channel, running.Rollout!, now));
                models.Add(new ModelOverview(model, channels, [.. (await VersionTable.ListAsync(session, model, null)).OrderByDescending(version => version.Number).Take(ShownVersions)], rollouts.ToImmutable(), await ChannelHistory.ListAsync(session, model, null, ShownHistory)));
            }

            return new Overview(caller.Name, now, models.ToImmutable());
        },
        cancellation);

    private static async Task StyleAsync(ApiCall call)
    {
        var response = call.Http.Response;
        response.ContentType = "text/css";
        response.Headers.CacheControl = "public, max-age=31536000, immutable";
        response.ContentLength = PageAssets.Style.Length;
        await response.Body.WriteAsync(PageAssets.Style, call.Cancellation);
    }

    private async Task SignInAsync(ApiCall call)
    {
        BrowserSession.RequireOwnPage(call.Http.Request);
        var token = await ReadTokenAsync(call);
        if (await TryIdentifyAsync(call, token) is null)
            return;
        BrowserSession.Begin(call.Http, token);
        SendHome(call);
    }

    private static Task SignOutAsync(ApiCall call)
    {
        BrowserSession.RequireOwnPage(call.Http.Request);
        BrowserSession.End(call.Http);
        SendHome(call);
        return Task.CompletedTask;
    }

    /// <exception cref="ApiProblem">Not the form of the sign-in page (415), or a broken one (400).</exception>
    private static async Task<string> ReadTokenAsync(ApiCall call)
    {
        var request = call.Http.Request;
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type) || type.MediaType != "application/x-www-form-urlencoded")
            throw new ApiProblem(StatusCodes.Status415UnsupportedMediaType, new Fault("bad-form", "this takes the form of the sign-in page"));
        try
        {
            return (await request.ReadFormAsync(call.Cancellation))["token"].ToString().Trim();
        }
        catch (InvalidDataException e)
        {
            throw ApiProblem.Malformed("bad-form", $"the form cannot be read: {e.Message}");
        }
    }

    /// <returns>Null where the token was refused: the sign-in page then says why, and a session that is over ends.</returns>
    private async Task<Caller?> TryIdentifyAsync(ApiCall call, string token)
    {
        try
        {
            return await signIn.ByTokenAsync(call.Http, token);
        }
        catch (ApiProblem e)
        {
            if (e.Status != StatusCodes.Status503ServiceUnavailable)
                BrowserSession.End(call.Http);
            await ShowSignInAsync(call, e);
            return null;
        }
    }

    private static void SendHome(ApiCall call)
    {
        call.Http.Response.StatusCode = StatusCodes.Status303SeeOther;
        call.Http.Response.Headers.Location = "/";
    }

    private Task ShowSignInAsync(ApiCall call, ApiProblem? refusal = null)
    {
        if (refusal?.Status == StatusCodes.Status401Unauthorized)
            call.Http.Response.Headers.WWWAuthenticate = "Bearer";
        return AnswerAsync<SignInPage>(call, refusal?.Status ?? StatusCodes.Status200OK, nameof(SignInPage.Fault), refusal?.Message);
    }

    /// <summary>With what the listener guards every answer by; a page has a style and forms beside.</summary>
    private async Task AnswerAsync<TPage>(ApiCall call, int status, string name, object? value)
        where TPage : IComponent
    {
        var html = Encoding.UTF8.GetBytes(await renderer.RenderAsync<TPage>(new Dictionary<string, object?> { [name] = value }));
        var response = call.Http.Response;
        response.StatusCode = status;
        response.ContentType = "text/html; charset=utf-8";
        response.ContentLength = html.Length;
        response.Headers.ContentSecurityPolicy = Policy;
        await response.Body.WriteAsync(html, call.Cancellation);
    }
}
