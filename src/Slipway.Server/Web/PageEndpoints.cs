using System.Collections.Immutable;
using System.Text;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using Slipway.Documents.Rollouts;
using Slipway.Server.Access;
using Slipway.Server.Api;
using Slipway.Server.Registry;
using Slipway.Server.Rollouts;
using Slipway.Server.Storage;

namespace Slipway.Server.Web;

/// <summary>The pages. They only read: a signed-in browser can change nothing, so no other site can make it do so.</summary>
/// <remarks>
/// The session is the person's own token in a cookie that scripts cannot read and that no other site's request carries. The API does not
/// take it: there a token stands in the Authorization header.
/// </remarks>
internal sealed class PageEndpoints(Database database, PrincipalDirectory directory, TimeProvider time)
{
    /// <summary>What a browser may do with a page: load its style, and send its forms back here. Source: CSP level 3.</summary>
    private const string Policy = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    private const string SessionCookie = "slipway-session";

    /// <summary>Versions of a model that the first page shows; the API has them all.</summary>
    private const int ShownVersions = 10;

    private readonly PageRenderer renderer = new();

    public IEnumerable<ApiEndpoint> All() =>
    [
        new("GET", "/", Permission.Anyone, ShowAsync),
        new("GET", PageAssets.StylePath, Permission.Anyone, StyleAsync),
        new("POST", "/sign-in", Permission.Anyone, SignInAsync) { BodyLimit = 64 * 1024 },
        new("POST", "/sign-out", Permission.Anyone, SignOutAsync),
    ];

    private async Task ShowAsync(ApiCall call)
    {
        if (call.Http.Request.Cookies[SessionCookie] is not { Length: > 0 } token)
        {
            await ShowSignInAsync(call, null);
            return;
        }

        Caller caller;
        try
        {
            caller = await directory.IdentifyAsync(token, call.Cancellation);
        }
        catch (ApiProblem e)
        {
            call.Http.Response.Cookies.Delete(SessionCookie);
            await ShowSignInAsync(call, e.Message);
            return;
        }

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
                models.Add(new ModelOverview(model, channels, [.. (await VersionTable.ListAsync(session, model, null)).OrderByDescending(version => version.Number).Take(ShownVersions)], rollouts.ToImmutable()));
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
        RequireOwnPage(call);
        if (!call.Http.Request.HasFormContentType)
            throw new ApiProblem(StatusCodes.Status415UnsupportedMediaType, new("bad-form", "this takes the form of the sign-in page"));
        var token = (await call.Http.Request.ReadFormAsync(call.Cancellation))["token"].ToString().Trim();
        try
        {
            await directory.IdentifyAsync(token, call.Cancellation);
        }
        catch (ApiProblem e)
        {
            await ShowSignInAsync(call, e.Message, StatusCodes.Status401Unauthorized);
            return;
        }

        call.Http.Response.Cookies.Append(SessionCookie, token, new CookieOptions { HttpOnly = true, SameSite = Microsoft.AspNetCore.Http.SameSiteMode.Strict, Secure = call.Http.Request.IsHttps, Path = "/" });
        SendHome(call);
    }

    private static Task SignOutAsync(ApiCall call)
    {
        RequireOwnPage(call);
        call.Http.Response.Cookies.Delete(SessionCookie);
        SendHome(call);
        return Task.CompletedTask;
    }

    /// <summary>Another site must not sign a browser in as somebody else, or out. Source: Fetch Metadata, and RFC 6454 for browsers without it.</summary>
    private static void RequireOwnPage(ApiCall call)
    {
        var request = call.Http.Request;
        var site = request.Headers["Sec-Fetch-Site"].ToString();
        var origin = request.Headers[HeaderNames.Origin].ToString();
        if (site is not ("" or "same-origin" or "none") || origin.Length > 0 && origin != $"{request.Scheme}://{request.Host}")
            throw new ApiProblem(StatusCodes.Status403Forbidden, new("other-site", "this form is sent from the server's own page alone"));
    }

    private static void SendHome(ApiCall call)
    {
        call.Http.Response.StatusCode = StatusCodes.Status303SeeOther;
        call.Http.Response.Headers.Location = "/";
    }

    private Task ShowSignInAsync(ApiCall call, string? fault, int status = StatusCodes.Status200OK) => AnswerAsync<SignInPage>(call, status, nameof(SignInPage.Fault), fault);

    private async Task AnswerAsync<TPage>(ApiCall call, int status, string name, object? value)
        where TPage : IComponent
    {
        var html = Encoding.UTF8.GetBytes(await renderer.RenderAsync<TPage>(new Dictionary<string, object?> { [name] = value }));
        var response = call.Http.Response;
        response.StatusCode = status;
        response.ContentType = "text/html; charset=utf-8";
        response.ContentLength = html.Length;
        response.Headers.ContentSecurityPolicy = Policy;
        response.Headers.CacheControl = "no-store";
        response.Headers["Referrer-Policy"] = "no-referrer";
        response.Headers.XContentTypeOptions = "nosniff";
        await response.Body.WriteAsync(html, call.Cancellation);
    }
}
